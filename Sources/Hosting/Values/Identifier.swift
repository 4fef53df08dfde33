// Ids and streams. An id is the position of the event that made the thing: unique for ever, opaque,
// and made without randomness or a second counter. `provider/17` was made by the event at 17.

/// What a stream is about. The raw value is the first part of a stream's name, a storage format.
package enum Kind: String, Sendable, Hashable, CaseIterable {
  case provider, agreement, engine, model, team, key, person, deployment, node, gateway, log
}

/// A type whose things have ids of their own.
package protocol Identified {
  static var kind: Kind { get }
}

/// The id of a thing: its kind, and the position of the event that made it.
package struct ID<Of: Identified>: Hashable, Comparable, Sendable {
  package let position: Position

  package init(_ position: Position) { self.position = position }

  package static func < (a: Self, b: Self) -> Bool { a.position < b.position }

  package var stream: Stream { Stream(Of.kind, position) }
}

extension ID: CustomStringConvertible {
  package var description: String { stream.description }
}

extension ID: LosslessStringConvertible {
  package init?(_ text: String) {
    guard let stream = Stream(text), stream.kind == Of.kind, stream.origin != .empty else {
      return nil
    }
    self.init(stream.origin)
  }
}

/// The name of a stream of events: `kind/position of its first event`, or `log` alone.
package struct Stream: Hashable, Sendable {
  package let kind: Kind
  package let origin: Position

  package init(_ kind: Kind, _ origin: Position) {
    self.kind = kind
    self.origin = origin
  }

  /// No two things were made by one event. Every row that is stored is looked up by its stream.
  package func hash(into hasher: inout Hasher) { hasher.combine(origin) }

  /// What concerns the log itself: eras, leadership, marks.
  package static let log = Stream(.log, .empty)
}

extension Stream: CustomStringConvertible {
  package var description: String {
    self == .log ? Kind.log.rawValue : kind.rawValue + "/" + String(origin.value)
  }
}

extension Kind {
  /// The same as of the raw value. Length and first letter tell the kinds apart; a test says so.
  init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
    guard let first = bytes.first else { return nil }
    let kind: Kind
    switch (bytes.count, Unicode.Scalar(first)) {
    case (8, "p"): kind = .provider
    case (9, "a"): kind = .agreement
    case (6, "e"): kind = .engine
    case (5, "m"): kind = .model
    case (4, "t"): kind = .team
    case (3, "k"): kind = .key
    case (6, "p"): kind = .person
    case (10, "d"): kind = .deployment
    case (4, "n"): kind = .node
    case (7, "g"): kind = .gateway
    case (3, "l"): kind = .log
    default: return nil
    }
    guard bytes.elementsEqual(kind.rawValue.utf8) else { return nil }
    self = kind
  }
}

extension Stream {
  /// The same as of the text, without making one: every row that is read has two of them.
  package init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
    guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else {
      guard bytes.elementsEqual("log".utf8) else { return nil }
      self = .log
      return
    }
    let digits = bytes[(slash + 1)...]
    // Eighteen digits cannot overflow; a position of more is no position of ours.
    guard let kind = Kind(ascii: UnsafeBufferPointer(rebasing: bytes[..<slash])), kind != .log,
      (1...18).contains(digits.count)
    else { return nil }
    var value: Int64 = 0
    for byte in digits {
      guard byte >= 48, byte <= 57 else { return nil }
      value = value &* 10 &+ Int64(byte &- 48)
    }
    self.init(kind, Position(value))
  }
}

extension Stream: LosslessStringConvertible {
  package init?(_ text: String) {
    if text == Kind.log.rawValue {
      self = .log
      return
    }
    guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")),
      let kind = Kind(rawValue: String(text[..<slash])), kind != .log,
      let origin = Position(text: text[text.utf8.index(after: slash)...])
    else { return nil }
    self.init(kind, origin)
  }
}
