// What gateways see of engines. `POST /v1/gateway/sightings`: of each attempt that requests were sent
// to lately, how many, and how they ended. Counts only: nothing of what was asked or answered.

import Hosting

package struct GatewaySightings: JSONRecord, Equatable, Sendable {
  /// How long the counts were gathered, up to when they were sent.
  package var seconds: Int
  package var items: [AttemptSighting]

  /// A gateway that was silent for longer says what it saw last, not all since.
  package static let longestSeconds = 60
  /// More attempts than one gateway sends requests to within a minute.
  package static let itemsLimit = 8_192

  package init(seconds: Int, items: [AttemptSighting]) {
    self.seconds = seconds
    self.items = items
  }
}

package struct AttemptSighting: Codable, Equatable, Sendable {
  package var attempt: AttemptID
  /// Requests that were sent to its engine.
  package var asked: Int
  /// Requests whose answer began, whatever it was.
  package var answered: Int
  /// Requests that met silence: no connection, or no word for as long as the engine may take; and those whose
  /// clients left after a long wait, where they were of several teams. One whose connection the engine ended
  /// is none of them, and neither answered.
  package var gaveUp: Int

  package init(attempt: AttemptID, asked: Int, answered: Int, gaveUp: Int) {
    self.attempt = attempt
    self.asked = asked
    self.answered = answered
    self.gaveUp = gaveUp
  }
}
