// A node's standing in a word or a few.

import Hosting

enum NodeText {
  static func status(
    _ status: Node.Status, cordoned: Bool, alarm: Text? = nil, troubles: [NodeTrouble]? = nil,
    silentSeconds: Int? = nil, missing: [String]? = nil
  ) -> Cell {
    if status == .active {
      var ailments = silentSeconds.map { ["silent for \($0) s"] } ?? []
      if alarm == nil, let troubles, !troubles.isEmpty {
        ailments.append("trouble: \(troubles.map(\.words).joined(separator: ", "))")
      } else if alarm != nil {
        ailments.append("alarm")
      }
      if let missing, !missing.isEmpty {
        ailments.append("cordoned, since \(Node.vanished(missing)) in use")
      }
      if !ailments.isEmpty { return Cell(ailments.joined(separator: ", "), .bad) }
    }
    if alarm != nil { return Cell("\(status.rawValue), alarm", .bad) }
    return switch status {
    case .active: cordoned ? Cell("cordoned", .warning) : Cell("active", .good)
    case .invited: Cell("invited", .dim)
    case .lost: Cell(cordoned ? "lost, cordoned" : "lost", .bad)
    }
  }

  /// `2/4, 1 stopping`: what is free, and what is taken by what stops.
  static func free(_ free: Int, of all: Int, stopping: Int?) -> Cell {
    let stopping = stopping.map { ", \($0) stopping" } ?? ""
    return Cell("\(free)/\(all)\(stopping)")
  }
}

extension Bytes {
  /// As a person reads it in a table: `23.5GiB`. What is exact stands in JSON.
  var short: String {
    let units: [(name: String, shift: Int64)] = [
      ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10),
    ]
    guard let unit = units.first(where: { count.magnitude >= 1 << UInt64($0.shift) }) else {
      return "\(count)B"
    }
    let tenths = (count * 10 + (1 << (unit.shift - 1))) >> unit.shift
    return tenths % 10 == 0
      ? "\(tenths / 10)\(unit.name)" : "\(tenths / 10).\(tenths % 10)\(unit.name)"
  }
}
