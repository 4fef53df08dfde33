// An engine template, as it is wanted: the whole of it.

import Hosting
import Wire

extension EngineTemplate {
  func steps(_ current: EngineItem?) -> [WishStep] {
    guard let current else { return [WishStep(define)] }
    let isSame = EngineTemplate(current.launch, tasks: current.tasks).define == define
    return isSame ? [] : [WishStep(define)]
  }
}
