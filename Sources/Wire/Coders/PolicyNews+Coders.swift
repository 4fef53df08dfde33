// Written by `swift run wharf-records` from the fields in PolicyNews.swift; not changed by hand.

import Hosting

extension PolicyNews {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("form", form)
    json.field("position", position)
    json.field("head", head)
    json.field("recordedAt", recordedAt)
    json.field("leaseSeconds", leaseSeconds)
    json.field("graceSeconds", graceSeconds)
    json.field("sharesLimits", sharesLimits)
    json.optional("since", since)
    json.optional("next", next)
    json.field("providers", providers)
    json.field("models", models)
    json.field("teams", teams)
    json.field("grants", grants)
    json.field("keys", keys)
    json.field("routes", routes)
    json.field("gone", gone)
    json.closeObject()
  }
}

extension PolicyNews {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let form = reader.field("form", Int.self),
      let position = reader.field("position", Position.self),
      let head = reader.field("head", HeadWitness.self),
      let recordedAt = reader.field("recordedAt", Timestamp.self),
      let leaseSeconds = reader.field("leaseSeconds", Int.self),
      let graceSeconds = reader.field("graceSeconds", Int.self),
      let sharesLimits = reader.field("sharesLimits", Bool.self),
      let since = reader.optional("since", Position.self),
      let next = reader.optional("next", String.self),
      let providers = reader.field("providers", [PolicyProvider].self),
      let models = reader.field("models", [ServedModel].self),
      let teams = reader.field("teams", [ServedTeam].self),
      let grants = reader.field("grants", [PolicyAccess].self),
      let keys = reader.field("keys", [TeamKey].self),
      let routes = reader.field("routes", [ModelRoute].self),
      let gone = reader.field("gone", PolicyGone.self),
      reader.close()
    else { return nil }
    self.init(
      form: form,
      position: position,
      head: head,
      recordedAt: recordedAt,
      leaseSeconds: leaseSeconds,
      graceSeconds: graceSeconds,
      sharesLimits: sharesLimits,
      since: since,
      next: next,
      providers: providers,
      models: models,
      teams: teams,
      grants: grants,
      keys: keys,
      routes: routes,
      gone: gone)
  }
}

extension PolicyProvider {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("label", label)
    json.field("isSuspended", isSuspended)
    json.optional("agreement", agreement)
    json.closeObject()
  }
}

extension PolicyProvider {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", Stream.self),
      let label = reader.field("label", String.self),
      let isSuspended = reader.field("isSuspended", Bool.self),
      let agreement = reader.optional("agreement", AgreedTerms.self),
      reader.close()
    else { return nil }
    self.init(id: id, label: label, isSuspended: isSuspended, agreement: agreement)
  }
}

extension ServedModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("provider", provider)
    json.field("task", task)
    json.optional("contextLength", contextLength)
    json.field("onboardedAt", onboardedAt)
    json.field("published", published)
    json.field("versions", versions)
    json.field("aliases", aliases)
    json.closeObject()
  }
}

extension ServedModel {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", Stream.self),
      let name = reader.field("name", String.self),
      let provider = reader.field("provider", Stream.self),
      let task = reader.field("task", String.self),
      let contextLength = reader.optional("contextLength", Int.self),
      let onboardedAt = reader.field("onboardedAt", Timestamp.self),
      let published = reader.field("published", [Audience].self),
      let versions = reader.field("versions", [String].self),
      let aliases = reader.field("aliases", [String: String].self),
      reader.close()
    else { return nil }
    self.init(
      id: id,
      name: name,
      provider: provider,
      task: task,
      contextLength: contextLength,
      onboardedAt: onboardedAt,
      published: published,
      versions: versions,
      aliases: aliases)
  }
}

extension ServedTeam {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("audience", audience)
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.closeObject()
  }
}

extension ServedTeam {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", Stream.self),
      let name = reader.field("name", Name.self),
      let audience = reader.field("audience", Audience.self),
      let requestsPerMinute = reader.optional("requestsPerMinute", Int.self),
      let tokensPerMinute = reader.optional("tokensPerMinute", Int.self),
      reader.close()
    else { return nil }
    self.init(
      id: id,
      name: name,
      audience: audience,
      requestsPerMinute: requestsPerMinute,
      tokensPerMinute: tokensPerMinute)
  }
}

extension PolicyAccess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.optional("workload", workload)
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.optional("until", until)
    json.optional("ended", ended)
    json.optional("endedAt", endedAt)
    json.closeObject()
  }
}

extension PolicyAccess {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let team = reader.field("team", Stream.self),
      let model = reader.field("model", Stream.self),
      let workload = reader.optional("workload", Workload.self),
      let requestsPerMinute = reader.optional("requestsPerMinute", Int.self),
      let tokensPerMinute = reader.optional("tokensPerMinute", Int.self),
      let until = reader.optional("until", Timestamp.self),
      let ended = reader.optional("ended", EndedGrant.Cause.self),
      let endedAt = reader.optional("endedAt", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(
      team: team,
      model: model,
      workload: workload,
      requestsPerMinute: requestsPerMinute,
      tokensPerMinute: tokensPerMinute,
      until: until,
      ended: ended,
      endedAt: endedAt)
  }
}

extension TeamKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("team", team)
    json.field("secrets", secrets)
    json.closeObject()
  }
}

extension TeamKey {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", Stream.self),
      let team = reader.field("team", Stream.self),
      let secrets = reader.field("secrets", [Secret].self),
      reader.close()
    else { return nil }
    self.init(id: id, team: team, secrets: secrets)
  }
}

extension TeamKey.Secret {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("digest", digest)
    json.optional("until", until)
    json.closeObject()
  }
}

extension TeamKey.Secret {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let digest = reader.field("digest", Digest.self),
      let until = reader.optional("until", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(digest: digest, until: until)
  }
}

extension ModelRoute {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("route", route)
    json.closeObject()
  }
}

extension ModelRoute {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let model = reader.field("model", Stream.self),
      let route = reader.field("route", PolicyRoute.self),
      reader.close()
    else { return nil }
    self.init(model: model, route: route)
  }
}

extension PolicyGone {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("models", models)
    json.field("keys", keys)
    json.field("grants", grants)
    json.field("routes", routes)
    json.closeObject()
  }
}

extension PolicyGone {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let models = reader.field("models", [Stream].self),
      let keys = reader.field("keys", [Stream].self),
      let grants = reader.field("grants", [GoneGrant].self),
      let routes = reader.field("routes", [AttemptID].self),
      reader.close()
    else { return nil }
    self.init(models: models, keys: keys, grants: grants, routes: routes)
  }
}

extension GoneGrant {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.closeObject()
  }
}

extension GoneGrant {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let team = reader.field("team", Stream.self),
      let model = reader.field("model", Stream.self),
      reader.close()
    else { return nil }
    self.init(team: team, model: model)
  }
}
