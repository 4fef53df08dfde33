// An engine template, as it is wanted: the whole of it.

import Hosting
import Wire

extension EngineTemplate {
  func commands(_ current: EngineItem?) -> [any Command] {
    guard let current else { return [define] }
    return EngineTemplate(current.launch, tasks: current.tasks).define == define ? [] : [define]
  }
}
