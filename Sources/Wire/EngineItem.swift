// An engine template, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct EngineItem: NounItem {
  package static let kind = "engine"
  package var id: String
  package var name: Name
  package var tasks: [ModelTask]
  package var launch: Launch

  package var label: String { name.text }

  package init(_ engine: Engine, _ view: Viewpoint) {
    id = engine.id.description
    name = engine.name
    tasks = engine.tasks
    launch = engine.launch
  }
}
