// A gateway, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct GatewayItem: NounItem {
  package static let kind = "gateway"
  package var id: String
  package var name: Name
  package var registeredAt: Timestamp
  /// How long each serves on after its lease, while no leader answers.
  package var graceSeconds: Int
  /// Those that may serve.
  package var processes: [ProcessItem]

  package struct ProcessItem: Codable, Equatable, Sendable, JSONWritable {
    package var incarnation: String
    package var address: String
    package var startedAt: Timestamp
    /// What it does, as far as the wharfd knows that was asked.
    package var state: GatewayState?
  }

  package var label: String { name.text }

  package init(_ gateway: Gateway, _ view: Viewpoint) {
    id = gateway.id.description
    name = gateway.name
    registeredAt = gateway.registeredAt
    graceSeconds = view.state.graceSeconds
    processes = view.state.processes(of: gateway.id).map {
      ProcessItem(
        incarnation: $0.incarnation, address: $0.address, startedAt: $0.startedAt,
        state: GatewayState($0, view))
    }
  }
}

/// What a gateway, or a process of it, does.
package struct GatewayState: Codable, Equatable, Sendable, JSONWritable {
  package enum Code: String, Codable, Sendable, JSONWritable {
    /// It was heard a moment ago.
    case serving
    /// It was not heard for too long, and may serve by what it knew.
    case silent
    /// It serves nothing any more.
    case over
    /// It may serve; more is known to the wharfd that leads.
    case mayServe
    /// No process of it may serve.
    case absent
  }

  package var code: Code
  /// `silent since …: may serve by what it knew until …`
  package var words: String
  /// What a person can do about it.
  package var help: String?

  package init(_ code: Code, _ words: String, help: String? = nil) {
    self.code = code
    self.words = words
    self.help = help
  }

  package var isWell: Bool { code == .serving || code == .mayServe }

  package init(_ process: GatewayProcess, _ view: Viewpoint) {
    let removed = process.removedAt.map { "removed at \($0.short), " } ?? ""
    guard let known = view.heard?.gateways else {
      self.init(.mayServe, "\(removed)may serve, since \(process.startedAt.short)")
      return
    }
    guard let standing = known.first(where: { $0.process == process.id }) else {
      self.init(.mayServe, "\(removed)not heard yet")
      return
    }
    let off = "if it is off for certain: \(process.commandThatItIsOff)"
    let until = view.moment.adding(seconds: Int64(standing.leaseSeconds.rounded(.up))).short
    if standing.leaseSeconds <= 0 {
      let why =
        standing.heardSeconds == nil ? "it never had a lease" : "its lease and grace are over"
      self.init(
        .over, "\(removed)serves nothing: \(why)", help: "start it, or see to it and its network")
    } else if let heard = standing.heardSeconds, !standing.isSilent {
      let at = standing.enforced.map { ", enforces position \($0)" } ?? ", enforces nothing yet"
      self.init(
        .serving, heard < 0 ? "\(removed)serves" : "\(removed)serves\(at)")
    } else {
      let since =
        standing.heardSeconds.map {
          "silent since \(view.moment.adding(seconds: -Int64($0)).short)"
        }
        ?? "not heard by the wharfd that leads now"
      self.init(
        .silent, "\(removed)\(since): may serve by what it knew until \(until)",
        help: "see to it and its network; \(off)")
    }
  }

  /// Of a gateway without a process.
  package static func absent(_ gateway: Gateway, _ view: Viewpoint) -> GatewayState {
    view.state.log.formatLevel < FormatLevel.kept
      ? GatewayState(.mayServe, "the log is of a format level that names no process of it")
      : GatewayState(
        .absent, "no process of it may serve",
        help: "start it: wharf-gateway run, with its credential")
  }
}
