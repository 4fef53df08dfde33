// `kind:` documents: one thing as it is wanted. What it is now is read, and the commands that make
// up the difference are sent.

import Hosting
import Wire

enum Wish {
  case engine(EngineTemplate)
  case provider(ProviderWish)
  case agreement(AgreementWish)
  case model(ModelWish)
  case team(TeamWish)
  case deployment(DeploymentWish)

  static let kinds = ["provider", "agreement", "engine", "model", "team", "deployment"]

  /// When its turn is: what another kind needs comes before it.
  var turn: Int {
    switch self {
    case .provider: 0
    case .agreement: 1
    case .engine: 2
    case .model: 3
    case .team: 4
    case .deployment: 5
    }
  }

  init(_ document: YAMLDocument) throws(DocumentProblem) {
    switch document.text("kind")?.lowercased() {
    case EngineTemplate.kind: self = .engine(try EngineTemplate(document))
    case "provider": self = .provider(try document.read(ProviderWish.self))
    case "agreement": self = .agreement(try document.read(AgreementWish.self))
    case "model": self = .model(try document.read(ModelWish.self))
    case "team": self = .team(try document.read(TeamWish.self))
    case "deployment": self = .deployment(try document.read(DeploymentWish.self))
    case let other:
      throw document.source.problem(
        other.map { "there is no kind '\($0.shortened(to: 60))' to apply" }
          ?? "a document has 'kind:' or 'scenario:'",
        at: document.mark("kind"), help: "kinds: \(Self.kinds.joined(separator: ", "))")
    }
    try checkOnce(in: document)
  }

  /// `team copilot`
  var subject: String {
    switch self {
    case .engine(let wish): "engine \(wish.name)"
    case .provider(let wish): "provider \(wish.name)"
    case .agreement(let wish): "agreement \(wish.provider)"
    case .model(let wish): "model \(wish.name)"
    case .team(let wish): "team \(wish.name)"
    case .deployment(let wish): "deployment \(wish.name)"
    }
  }

  /// What may stand once in it: the place of each, and what it is known by.
  private var once: [(path: String, key: String)] {
    switch self {
    case .model(let wish): wish.once
    case .team(let wish): wish.once
    case .engine, .provider, .agreement, .deployment: []
    }
  }

  private func checkOnce(in document: YAMLDocument) throws(DocumentProblem) {
    var seen: Set<String> = []
    for (path, key) in once where !seen.insert("\(path.prefix { $0 != "[" }) \(key)").inserted {
      throw document.source.problem(
        "'\(key.shortened(to: 80))' stands here twice", at: document.mark(path),
        help: "say all of it in one place")
    }
  }

  /// What is to be done, in order; nothing, if all is so already.
  func steps(_ present: some Finding) async throws -> [WishStep] {
    switch self {
    case .engine(let wish):
      return try wish.steps(await present.find(EngineNoun.self, wish.name.text))
    case .provider(let wish):
      return try wish.steps(await present.find(ProviderNoun.self, wish.name.text))
    case .agreement(let wish):
      return try wish.steps(await present.find(AgreementNoun.self, wish.provider.text))
    case .model(let wish):
      let current = try await present.find(ModelNoun.self, wish.name.modelText)
      var engines: [String: EngineItem] = [:]
      for version in current?.versions ?? [] where version.arguments == nil {
        guard engines[version.engine.key] == nil else { continue }
        engines[version.engine.key] = try await present.find(EngineNoun.self, version.engine.text)
      }
      return try wish.steps(current, engines)
    case .team(let wish):
      let moment = wish.namesEnds ? try await present.moment() : nil
      return try wish.steps(await present.find(TeamNoun.self, wish.name.text), past: moment)
    case .deployment(let wish):
      let current = try await present.find(DeploymentNoun.self, wish.name.text)
      var served: ModelItem?
      if current != nil, let model = wish.model.value {
        served = try await present.find(ModelNoun.self, model.modelText)
      }
      return try wish.steps(current, served)
    }
  }
}

/// Where a wish finds what is there already.
protocol Finding {
  /// The thing of a name, or none.
  func find<Things: Noun>(_ noun: Things.Type, _ name: String) async throws -> Things.Item?
  /// A moment that has passed, by the log's clock: that of its last event.
  func moment() async throws -> Timestamp
}

extension Client: Finding {
  func moment() async throws -> Timestamp {
    try await read(ItemReply<HeadItem>.self, "head").item.recordedAt
  }

  func find<Things: Noun>(_ noun: Things.Type, _ name: String) async throws -> Things.Item? {
    do {
      return try await read(
        ItemReply<Things.Item>.self, "\(noun.path)/\(PathName.encoded(name))"
      ).item
    } catch let failure as Failure
      where failure.code?.hasPrefix("unknown") == true
      && failure.code != "unknownToken"
    {
      return nil
    }
  }
}

/// A wish for something that never changes.
struct Fixed: Error {
  let reason: String
  let help: String
  /// Where in the document it is wished for.
  var path = ""

  static func check<Value: Equatable>(
    _ what: String, of subject: String, is current: Value?, wanted: Value,
    at path: String,
    help: String = "leave the field out, and it stays; or make a new one under another name"
  ) throws(Fixed) {
    guard current != wanted else { return }
    throw Fixed(
      reason:
        "the \(what) of \(subject) is \(current.map { said($0) } ?? "not set") and cannot become "
        + said(wanted), help: help, path: path)
  }

  private static func said(_ value: Any) -> String {
    (value as? Timestamp)?.short ?? "\(value)"
  }
}
