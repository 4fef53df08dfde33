// The ids of commands that stand in documents: derived from scenario and step, so that applying a
// document again sends the same commands, which are done once.

import Crypto
import Hosting

import struct Hosting.Digest

extension CommandID {
  /// The id of a step of a scenario. For ever: it is how a second apply finds the first results.
  package init(scenario: String, step: String) {
    // With the length before it, no scenario and step give the text of two others.
    let text = "wharf scenario \(scenario.utf8.count):\(scenario)\(step)"
    self.init(derivedFrom: Digest(bytes: Array(SHA256.hash(data: Array(text.utf8)))))
  }
}
