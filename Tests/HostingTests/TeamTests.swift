// Teams, grants and keys.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct TeamTests {
  private let now = World.start

  private func grant(
    _ team: Name = "copilot", _ model: ModelReference = "xai/grok", workload: Workload? = nil,
    quota: Quota? = nil, until: Int? = nil
  ) -> GrantAccess {
    GrantAccess(
      team: team, model: model, workload: workload, quota: quota,
      until: until.map { now.adding(days: $0) })
  }

  private func granted(
    _ given: Given, quota: Quota = Quota(), until: Int? = nil
  ) -> AccessGranted {
    AccessGranted(
      model: given.world.model, workload: .inference, quota: quota,
      until: until.map { now.adding(days: $0) })
  }

  @Test func `a team is registered under a free name`() {
    given().when(RegisterTeam(name: "copilot", audience: .internal))
      .then(TeamRegistered(name: "copilot", title: "copilot", audience: .internal))
      .when(RegisterTeam(name: "Copilot", audience: .external)).thenRefused("nameTaken")
  }

  @Test func `a grant is given, replaced where it differs, and not given twice`() {
    let quota = Quota(requestsPerMinute: 600)
    let first = Given.teams.when(grant()).then(granted(.teams))
    first.when(grant()).thenNothing()
    first.when(grant(quota: quota, until: 9)).then(granted(.teams, quota: quota, until: 9))
      .when(grant(quota: quota, until: 9)).thenNothing()
  }

  @Test func `an external team gets no model that is open to internal teams only`() {
    Given.teams.when(grant("acme"))
      .thenRefused("modelNotPublished", saying: "wharf model publish xai/grok --to external")
    Given.model.and(RegisterTeam(name: "copilot", audience: .internal)).when(grant())
      .thenRefused("modelNotPublished")
    Given.teams.and(
      AmendAgreement(
        provider: "xai", scope: nil, audiences: [.internal], until: nil, noticeDays: nil)
    ).when(grant("acme")).thenRefused(
      "audienceNotCovered", saying: "the clause 'audience: internal'")
  }

  @Test func `a grant that cannot be is refused, and says why`() {
    Given.teams.when(grant("nobody")).thenRefused("unknownTeam")
    Given.teams.when(grant("copilot", "xai/x")).thenRefused("unknownModel")
    Given.teams.when(grant("copilot", "xai/grok:1")).thenRefused("grantOfVersion")
    Given.teams.when(grant(workload: .training)).thenRefused("workloadNotInScope")
    Given.teams.when(grant(until: 0)).thenRefused("backdated")
    Given.teams.when(grant(quota: Quota(tokensPerMinute: 0))).thenRefused("quotaOutOfRange")
    Given.teams.and(DeprecateModel(model: "xai/grok")).when(grant()).thenRefused("modelDeprecated")
    Given.teams.and(RetireModel(model: "xai/grok")).when(grant()).thenRefused("modelDeprecated")
    Given.teams.and(SuspendProvider(provider: "xai")).when(grant()).thenRefused("providerSuspended")
    Given.teams.and(TerminateAgreement(provider: "xai", end: nil)).when(grant())
      .thenRefused("agreementTerminated")
    Given.teams.passed(days: 730).when(grant()).thenRefused("noAgreement")
  }

  @Test func `a grant is revoked once, and may be given again`() {
    let revoke = RevokeAccess(team: "copilot", model: "xai/grok")
    let revoked = Given.teams.and(grant()).when(revoke)
      .then(AccessRevoked(model: Given.teams.world.model))
    revoked.when(revoke).thenNothing()
    revoked.when(grant()).then(granted(.teams))
    Given.teams.when(revoke).thenRefused("notGranted")
    Given.teams.when(RevokeAccess(team: "x", model: "xai/grok")).thenRefused("unknownTeam")
    Given.teams.when(RevokeAccess(team: "copilot", model: "xai/x")).thenRefused("unknownModel")
  }

  @Test func `a grant's end is noted once it came, and not for one that was prolonged`() {
    let given = Given.teams.and(grant(until: 5))
    let expire = ExpireGrant(
      team: given.world.state.teams.named("copilot")?.id ?? ID(0), model: given.world.model)
    given.passed(days: 4).when(expire, by: .wharfd).thenNothing()
    let expired = given.passed(days: 5).when(expire, by: .wharfd)
      .then(GrantExpired(model: given.world.model))
    expired.when(expire, by: .wharfd).thenNothing()
    expired.when(RevokeAccess(team: "copilot", model: "xai/grok")).thenNothing()
    given.and(grant(until: 9)).passed(days: 5).when(expire, by: .wharfd).thenNothing()
    given.passed(days: 5).when(expire).thenRefused("notAllowed")
  }

  @Test func `a team's quota is set where it differs`() {
    let quota = Quota(requestsPerMinute: 5, tokensPerMinute: 7)
    Given.teams.when(SetQuota(team: "copilot", quota: quota)).then(QuotaSet(quota: quota))
      .when(SetQuota(team: "copilot", quota: quota)).thenNothing()
    Given.teams.when(SetQuota(team: "copilot", quota: Quota())).thenNothing()
    Given.teams.when(SetQuota(team: "x", quota: quota)).thenRefused("unknownTeam")
    for limit in [0, 1_000_000_000_001, Int.max] {
      Given.teams.when(SetQuota(team: "copilot", quota: Quota(requestsPerMinute: limit)))
        .thenRefused("quotaOutOfRange")
    }
  }
}

@Suite struct KeyTests {
  private let now = World.start
  private let team = given(RegisterTeam(name: "copilot", audience: .internal))

  private func issue(_ name: Name = "laptop", _ secret: Int = 1, until: Int? = nil) -> IssueKey {
    IssueKey(
      team: "copilot", name: name, secret: .numbered(secret), prefix: "wk_abc",
      until: until.map { now.adding(days: $0) })
  }

  private func rotate(
    _ secret: Int, grace: Int = 60, name: Name = "laptop", endPreviousNow: Bool? = nil
  ) -> RotateKey {
    RotateKey(
      team: "copilot", name: name, secret: .numbered(secret), prefix: "wk_def",
      graceSeconds: grace, endPreviousNow: endPreviousNow)
  }

  @Test func `a key is issued under a free name and with an unused secret`() {
    let issued = team.when(issue())
      .then(
        KeyIssued(team: ID(1), name: "laptop", secret: .numbered(1), prefix: "wk_abc", until: nil))
    issued.when(issue("laptop", 2)).thenRefused("nameTaken", saying: "wharf key rotate")
    issued.when(issue("other", 1)).thenRefused("secretInUse")
    team.when(issue(until: 0)).thenRefused("backdated")
    given().when(issue()).thenRefused("unknownTeam")
    given(
      AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_"), by: .wharfd
    ).and(RegisterTeam(name: "copilot", audience: .internal)).when(issue()).thenRefused(
      "secretInUse")
  }

  @Test func `a team has a thousand keys at most`() {
    let full = team.with { world in
      for index in 0..<IssueKey.keysPerTeamLimit {
        try world.perform(issue(Name("k\(index)"), 10 + index))
      }
    }
    full.when(issue("more", 2)).thenRefused("tooManyKeys")
  }

  @Test func `what a rotation promised is kept, or taken back by name`() {
    let day = 86_400
    let rotated = team.and(issue(), rotate(2, grace: day))
    let end = now.adding(days: 1)
    rotated.when(rotate(3)).thenRefused("previousSecretLives", saying: end.short)
    rotated.when(rotate(3)).thenRefused("previousSecretLives", saying: "--end-previous-now")
    let again = rotated.when(rotate(3, endPreviousNow: true))
      .then(
        KeyRotated(secret: .numbered(3), prefix: "wk_def", previousUntil: now.adding(seconds: 60)))
    #expect(again.world.state.keyBySecret.count == 2)
    #expect(again.world.state.keyBySecret[.numbered(1)] == nil)
    // Nothing is in the way once the older one ended.
    rotated.passed(days: 1).when(rotate(3))
      .then(
        KeyRotated(secret: .numbered(3), prefix: "wk_def", previousUntil: end.adding(seconds: 60)))
    team.and(issue(), rotate(2, grace: 0)).when(rotate(3, grace: 0))
      .then(KeyRotated(secret: .numbered(3), prefix: "wk_def", previousUntil: now))
  }

  @Test func `a key that ended is not rotated, and no secret outlives its key`() {
    let brief = team.and(issue(until: 1))
    brief.when(rotate(2, grace: 3 * 86_400))
      .then(KeyRotated(secret: .numbered(2), prefix: "wk_def", previousUntil: now.adding(days: 1)))
    brief.passed(days: 1).when(rotate(2))
      .thenRefused("keyExpired", saying: "wharf key issue copilot --name laptop")
  }

  @Test func `a key that ended frees its name, noted or not`() throws {
    let brief = team.and(issue(until: 1)).passed(days: 1)
    let fresh = KeyIssued(
      team: ID(1), name: "laptop", secret: .numbered(2), prefix: "wk_abc", until: nil)
    let unnoted = brief.when(issue("laptop", 2)).then(KeyExpired(), fresh)
    #expect(unnoted.world.state.keys(of: ID(1)).map(\.secret) == [.numbered(2)])
    let key = try #require(brief.world.state.keys.keys.first)
    let noted = brief.when(ExpireKey(key: key), by: .wharfd).then(KeyExpired())
    #expect(noted.world.state.keyBySecret.isEmpty)
    noted.when(issue("laptop", 2)).then(fresh)
    let old = Given(World(formatLevel: FormatLevel.sealed))
      .and(RegisterTeam(name: "copilot", audience: .internal), issue(until: 1)).passed(days: 1)
    old.when(issue("laptop", 2)).thenRefused("nameTaken")
  }

  @Test func `a rotated key answers to both secrets, and to no third`() {
    let rotated = team.and(issue()).when(rotate(2))
      .then(
        KeyRotated(
          secret: .numbered(2), prefix: "wk_def", previousUntil: now.adding(seconds: 60)))
    #expect(rotated.world.state.keyBySecret.count == 2)
    #expect(rotated.passed(seconds: 60).and(rotate(3)).world.state.keyBySecret.count == 2)
    rotated.passed(seconds: 60).when(rotate(2)).thenRefused("secretInUse")
    rotated.when(rotate(4, grace: -1)).thenRefused("graceOutOfRange")
    rotated.when(rotate(4, grace: 30 * 86_400 + 1)).thenRefused("graceOutOfRange")
    rotated.when(rotate(4, name: "other")).thenRefused("unknownKey")
    given().when(rotate(4)).thenRefused("unknownTeam")
  }

  @Test func `a revoked key leaves, with all its secrets`() {
    let revoke = RevokeKey(team: "copilot", name: "laptop")
    let revoked = team.and(issue(), rotate(2)).when(revoke).then(KeyRevoked())
    #expect(revoked.world.state.keys.isEmpty)
    #expect(revoked.world.state.keyBySecret.isEmpty)
    revoked.when(revoke).thenRefused("unknownKey")
    given().when(revoke).thenRefused("unknownTeam")
  }
}
