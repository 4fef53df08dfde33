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

  static let kinds = ["engine", "provider", "agreement", "model", "team", "deployment"]

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

  /// What is to be done, in order; nothing, if all is so already.
  func commands(_ present: some Finding) async throws -> [any Command] {
    switch self {
    case .engine(let wish):
      try wish.commands(await present.find(EngineNoun.self, wish.name.text))
    case .provider(let wish):
      try wish.commands(await present.find(ProviderNoun.self, wish.name.text))
    case .agreement(let wish):
      try wish.commands(await present.find(AgreementNoun.self, wish.provider.text))
    case .model(let wish):
      try wish.commands(await present.find(ModelNoun.self, wish.name.modelText))
    case .team(let wish):
      try wish.commands(await present.find(TeamNoun.self, wish.name.text))
    case .deployment(let wish):
      try wish.commands(await present.find(DeploymentNoun.self, wish.name.text))
    }
  }
}

/// Where a wish finds what is there already.
protocol Finding {
  /// The thing of a name, or none.
  func find<Things: Noun>(_ noun: Things.Type, _ name: String) async throws -> Things.Item?
}

extension Client: Finding {
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

  static func check<Value: Equatable>(
    _ what: String, of subject: String, is current: Value, wanted: Value
  ) throws(Fixed) {
    guard current != wanted else { return }
    throw Fixed(reason: "the \(what) of \(subject) is \(current) and cannot become \(wanted)")
  }
}
