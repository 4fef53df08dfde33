// Who is asking: taken from the token that came with a request, never from the request itself.

import HashTreeCollections

/// What a principal may do. The raw value is a storage format.
package enum Role: String, Sendable, Hashable, CaseIterable, JSONCoded {
  /// Everything, people included.
  case admin
  /// Everything but people.
  case `operator`
  /// Reads what is not under embargo.
  case viewer
  /// A worker node: its own assignment and reports.
  case agent
  /// A gateway: the policy and its own reports.
  case gateway
  /// Holds an invitation, and may only accept it.
  case invited
  /// Holds a join token, and may only join a node.
  case joining
  /// wharfd itself.
  case system
}

/// The opaque id of a person or machine, as it stands on every event.
package enum Actor: Hashable, Sendable {
  case of(Stream)
  case wharfd
}

extension Actor: LosslessStringConvertible {
  package init?(_ text: String) {
    if text == "wharfd" {
      self = .wharfd
    } else if let stream = Stream(text) {
      self = .of(stream)
    } else {
      return nil
    }
  }

  /// The same as of the text.
  package init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.elementsEqual("wharfd".utf8) {
      self = .wharfd
    } else if let stream = Stream(ascii: bytes) {
      self = .of(stream)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .of(let stream): stream.description
    case .wharfd: "wharfd"
    }
  }
}

package struct Principal: Hashable, Sendable {
  package let actor: Actor
  package let role: Role
  /// The digest of the secret that was presented. What it is good for is asked again where a command is
  /// decided; see Authority.swift. None where the program speaks for itself.
  package let credential: Digest?

  package init(actor: Actor, role: Role, credential: Digest? = nil) {
    self.actor = actor
    self.role = role
    self.credential = credential
  }

  /// wharfd itself: bootstrap, reconciler, leadership.
  package static let wharfd = Principal(actor: .wharfd, role: .system)
}

/// What a secret of some digest is good for, and who holds it.
package struct Credential: Equatable, Sendable, SnapshotValue {
  package enum Use: Equatable, Sendable {
    /// A person's token: good for the person's role, before its end if it has one.
    case token(until: Timestamp?)
    /// Good once, before this moment, to become a token.
    case invitation(until: Timestamp)
    /// Good once, before this moment, to join a node.
    case joinToken(until: Timestamp)
    case agent
    case gateway
    /// Of a node that was removed: good for nothing but to be told so.
    case removed
  }

  package let holder: Stream
  package let use: Use
}

extension HostingState {
  /// Who presents a secret of this digest at this moment; nobody, if it is not in force.
  package func principal(presenting secret: Digest, now: Timestamp) -> Principal? {
    guard let credential = credentials[secret] else { return nil }
    let role: Role? =
      switch credential.use {
      case .token(let until):
        until.map { now < $0 } ?? true ? persons[ID(credential.holder.origin)]?.role : nil
      case .invitation(let until): now < until ? .invited : nil
      case .joinToken(let until): now < until ? .joining : nil
      case .agent: .agent
      case .gateway: .gateway
      case .removed: nil
      }
    return role.map { Principal(actor: .of(credential.holder), role: $0, credential: secret) }
  }
}
