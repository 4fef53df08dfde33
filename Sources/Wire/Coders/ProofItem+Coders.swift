// Written by `swift run wharf-records` from the fields in ProofItem.swift; not changed by hand.

import Hosting

extension HeadItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("era", era)
    json.field("position", position)
    json.field("hash", hash)
    json.field("recordedAt", recordedAt)
    json.field("note", note)
    json.field("key", key)
    json.closeObject()
  }
}

extension RowItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("position", position)
    json.field("row", row)
    json.closeObject()
  }
}

extension DigestsItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("after", after)
    json.field("before", before)
    json.field("digests", digests)
    json.closeObject()
  }
}

extension HistoryProof.Link {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("row", row)
    json.optional("digest", digest)
    json.closeObject()
  }
}
