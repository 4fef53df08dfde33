// JSON and YAML of replies.

import Testing

@testable import CLI

struct StructureTests {
  private static let body = Array(
    #"{"position":5,"items":[{"name":"no","version":"1","title":"a: b","at":"2025-05-01","n":-2,"is":true,"none":null,"empty":[],"text":"two\nlines","quote":"\"x\""}]}"#
      .utf8)

  @Test func `JSON is indented, in the API's order`() throws {
    #expect(
      try Structure.json(Self.body) == #"""
        {
          "position": 5,
          "items": [
            {
              "name": "no",
              "version": "1",
              "title": "a: b",
              "at": "2025-05-01",
              "n": -2,
              "is": true,
              "none": null,
              "empty": [],
              "text": "two\nlines",
              "quote": "\"x\""
            }
          ]
        }
        """#)
  }

  @Test func `YAML quotes the texts that it would read as something else`() throws {
    let yaml = try Structure.yaml(Self.body)
    #expect(
      yaml == #"""
        position: 5
        items:
        - name: 'no'
          version: '1'
          title: 'a: b'
          at: '2025-05-01'
          n: -2
          is: true
          none: null
          empty: []
          text: "two\nlines"
          quote: '"x"'
        """#)
  }

  @Test func `what misleads the eye stands as its number, and is read back as it was`() throws {
    let text = "a\u{202E}b\u{E0041}"
    let body = Array("{\"title\":\"\(text)\"}".utf8)
    #expect(
      try Structure.json(body) == #"""
        {
          "title": "a\u202eb\udb40\udc41"
        }
        """#)
    #expect(Structure.line(body) == #"{"title":"a\u202eb\udb40\udc41"}"#)
    #expect(try Structure.yaml(body).hasPrefix(#"title: "a\u202eb"#))
  }
}
