// The ends of keys, tokens and join tokens that a plan would note.

import Hosting

extension HostingState {
  /// What ended by this moment, as the commands that note it; and what ends next, of whatever has an end.
  package func dueEndings(at now: Timestamp) -> (commands: [any Command], next: Timestamp?) {
    let commands = endings.due(at: now).compactMap { ending -> (any Command)? in
      guard case .secret(let secret) = ending else { return nil }
      return command(noting: secret)
    }
    return (commands, endings.next(after: now))
  }
}
