// A node's standing in one word.

import Hosting

enum NodeText {
  static func status(_ status: Node.Status, cordoned: Bool, alarm: Text? = nil) -> Cell {
    if alarm != nil { return Cell(status == .active ? "alarm" : "\(status.rawValue), alarm", .bad) }
    return switch status {
    case .active: cordoned ? Cell("cordoned", .warning) : Cell("active", .good)
    case .invited: Cell("invited", .dim)
    case .lost: Cell(cordoned ? "lost, cordoned" : "lost", .bad)
    }
  }
}
