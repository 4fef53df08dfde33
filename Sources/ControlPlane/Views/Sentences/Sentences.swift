// What an event says, in a sentence for people. Every type of event has one; a test sees to it.

import EventLog
import Hosting

/// An event about to be told, between the states before and after it.
package struct Telling {
  let stored: StoredEvent
  let event: any Event
  /// Why, in the words of who sent the command.
  let reason: String?
  let before: HostingState
  let after: HostingState

  /// What the event is about, by its name then.
  var subject: String { name(of: stored.stream) }

  /// The position in the id of what the event is about.
  var origin: Position { stored.stream.origin }

  var actorName: String {
    switch stored.actor {
    case .wharfd: "wharfd"
    case .of(let stream): name(of: stream)
    }
  }

  /// The name of a thing after the event, or before it if the event took it away; else its id.
  func name(of stream: Stream) -> String {
    after.label(of: stream) ?? before.label(of: stream) ?? stream.description
  }

  func name<Of: Identified>(_ id: ID<Of>) -> String { name(of: id.stream) }

  func replicaName(_ id: ReplicaID) -> String {
    let deployment = after.deployments[id.deploymentID] ?? before.deployments[id.deploymentID]
    return deployment?.replicaName(id.number) ?? "replica \(id)"
  }
}

/// How the events of one type are told.
struct Teller: Sendable {
  let type: String
  let tell: @Sendable (Telling) -> String

  init<Body: Event>(_ type: Body.Type, _ tell: @escaping @Sendable (Body, Telling) -> String) {
    self.type = type.type
    self.tell = { telling in
      guard let body = telling.event as? Body else {
        preconditionFailure("a teller of \(Body.type) was handed \(telling.stored.type)")
      }
      return tell(body, telling)
    }
  }
}

package enum Sentences {
  /// At most so many things are named in one sentence.
  static let namesLimit = 8

  private static let byType: [String: Teller] = Dictionary(
    uniqueKeysWithValues: [
      LogSentences.all, PersonSentences.all, ProviderSentences.all, ModelSentences.all,
      TeamSentences.all, NodeSentences.all, DeploymentSentences.all, GatewaySentences.all,
    ].flatMap { $0 }.map { ($0.type, $0) })

  package static func hasSentence(for type: String) -> Bool { byType[type] != nil }

  /// - Returns: the bare type, should a type have no sentence: a missing sentence stops no projector.
  static func sentence(for telling: Telling) -> String {
    byType[telling.stored.type]?.tell(telling) ?? "\(telling.subject): \(telling.stored.type)"
  }

  /// `a, b and c`; past the limit `a, b … and 40 more`.
  static func list(_ names: [String]) -> String {
    if names.count > namesLimit {
      let shown = names.prefix(namesLimit).joined(separator: ", ")
      return "\(shown) and \(names.count - namesLimit) more"
    }
    guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }

  static func count(_ number: Int, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }

  /// `, at most 600 requests and 9000 tokens a minute`; empty without a limit.
  static func limits(_ quota: Quota) -> String {
    let parts = [
      quota.requestsPerMinute.map { count($0, "request") },
      quota.tokensPerMinute.map { count($0, "token") },
    ].compactMap { $0 }
    return parts.isEmpty ? "" : ", at most \(parts.joined(separator: " and ")) a minute"
  }

  static func until(_ moment: Timestamp?) -> String { moment.map { ", until \($0.short)" } ?? "" }
}
