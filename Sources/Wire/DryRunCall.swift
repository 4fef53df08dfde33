// `POST /v1/dry-run`: what several commands would lead to, each decided on what those before it would
// leave. Nothing is recorded.

import Hosting

package struct DryRunCall: JSONRecord, Equatable, Sendable {
  /// A thing that is to be shown as it would be after the commands.
  package struct Show: Codable, Equatable, Sendable {
    /// `teams`: where the API lists such things.
    package var path: String
    package var name: String
    package init(path: String, name: String) {
      self.path = path
      self.name = name
    }
  }

  /// At most 256, as many as one statement stores.
  package var calls: [CommandCall]
  package var show: Show?

  package init(calls: [CommandCall], show: Show? = nil) {
    self.calls = calls
    self.show = show
  }
}

package struct DryRunReply: JSONRecord, Equatable, Sendable {
  package struct Step: Codable, Equatable, Sendable {
    /// It was done before, under this id: these are the events of then.
    package var isEarlier: Bool
    package var events: [EventItem]
    package init(isEarlier: Bool, events: [EventItem]) {
      self.isEarlier = isEarlier
      self.events = events
    }
  }

  /// The head that the first command was decided on.
  package var position: Position
  /// Of the commands in their order, as far as none was refused.
  package var steps: [Step]
  /// Why the one after these would be refused.
  package var refusal: ErrorReply.Failure?
  /// What was to be shown; none where there would be no such thing.
  package var item: RawJSON?

  package init(
    position: Position, steps: [Step], refusal: ErrorReply.Failure?, item: RawJSON?
  ) {
    self.position = position
    self.steps = steps
    self.refusal = refusal
    self.item = item
  }
}
