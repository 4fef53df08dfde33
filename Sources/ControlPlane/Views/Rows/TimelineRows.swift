// views.timeline: one row an event, with the names of that moment.

import EventLog
import Hosting

enum TimelineRows {
  static let timeline = RowMaker<Telling>(
    "timeline",
    [
      .integer("position") { $0.stored.position.value },
      .time("recorded_at") { $0.stored.recordedAt },
      .text("actor_id") { $0.stored.actor.description },
      .text("actor") { $0.actorName },
      .text("type") { $0.stored.type },
      .text("kind") { $0.stored.stream.kind.rawValue },
      .text("subject_id") { $0.stored.stream.description },
      .text("subject") { $0.subject },
      .text("sentence") { Sentences.sentence(for: $0) },
      .text("reason") { $0.reason },
      .uuid("command_id") { $0.stored.commandID },
    ])
}
