// Waits of wharfd's services and long-polls between two looks at the log: a shutdown ends them at once,
// since nothing is under way in them.

import EventLog
import Hosting
import ServiceLifecycle
import Time

enum Pause {
  static func rest(_ duration: Duration, by clocks: Clocks) async {
    await cancelWhenGracefulShutdown { try? await clocks.sleep(for: duration) }
  }
}

extension HeadBoard {
  /// Pauses until the log goes on after `position`, or the time is over.
  func pause(after position: Position, upTo timeout: Duration) async {
    guard current.state.position <= position else { return }
    await cancelWhenGracefulShutdown { _ = await self.wait(for: position.next, upTo: timeout) }
  }
}
