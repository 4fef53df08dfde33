// A mark: a position with a name.

import HashTreeCollections
import Hosting

package struct MarkItem: NounItem {
  package static let kind = "mark"
  package var name: Name
  package var position: Position
  package var markedAt: Timestamp

  package var id: String { name.text }
  package var label: String { name.text }

  package init(_ mark: Mark, _ view: Viewpoint) {
    name = mark.name
    position = mark.position
    markedAt = mark.markedAt
  }
}
