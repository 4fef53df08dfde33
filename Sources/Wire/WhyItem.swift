// `GET /v1/why/KIND/NAME`: why something is as it is, by the same functions that decide it.

import Hosting

package struct WhyItem: Codable, Equatable, Sendable, JSONWritable {
  /// `deployment grok`, `replica grok-2`.
  package var subject: String
  /// One sentence.
  package var verdict: String
  package var facts: [String]
  /// What rules out each node; no rules: it would do.
  package var nodes: [RuledOut]
  /// What would help, the smallest change first.
  package var help: [String]

  package struct RuledOut: Codable, Equatable, Sendable, JSONWritable {
    package var node: String
    package var rules: [String]
    package init(node: String, rules: [String]) {
      self.node = node
      self.rules = rules
    }
  }

  package init(
    subject: String, verdict: String, facts: [String], nodes: [RuledOut], help: [String]
  ) {
    self.subject = subject
    self.verdict = verdict
    self.facts = facts
    self.nodes = nodes
    self.help = help
  }
}
