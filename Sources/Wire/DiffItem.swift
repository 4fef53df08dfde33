// `GET /v1/diff?from=P&to=Q`: what differs between two states, thing by thing and field by field.

import Hosting

package struct DiffItem: Codable, Equatable, Sendable, JSONWritable {
  package enum Change: String, Sendable, CaseIterable, JSONCoded {
    case added, removed, changed
  }

  package var kind: String
  package var id: String
  package var name: String
  package var change: Change
  /// Of what changed; all fields of what was added or removed.
  package var fields: [Field]

  package struct Field: Codable, Equatable, Sendable, JSONWritable {
    /// `status`, `grants[xai/grok-3].until`.
    package var field: String
    package var from: RawJSON?
    package var to: RawJSON?
    package init(field: String, from: RawJSON?, to: RawJSON?) {
      self.field = field
      self.from = from
      self.to = to
    }
  }

  package init(kind: String, id: String, name: String, change: Change, fields: [Field]) {
    self.kind = kind
    self.id = id
    self.name = name
    self.change = change
    self.fields = fields
  }
}
