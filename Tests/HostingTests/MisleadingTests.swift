// What misleads the eye is refused where words come in, read where it is old, and shown by its number.

import Testing

@testable import Hosting

@Suite struct MisleadingTests {
  @Test(arguments: [
    "\u{202E}", "\u{2066}", "\u{200B}", "\u{200D}", "\u{FEFF}", "\u{2028}", "\u{2029}", "\u{AD}",
    "\u{85}", "\u{7F}", "\u{1B}", "\u{0}", "\u{61C}", "\u{3164}", "\u{E0041}", "\u{180E}",
  ])
  func `is refused in a text`(character: String) {
    #expect(throws: Malformed.self) { try Text("a\(character)b") }
    #expect(Misleading.shown("a\(character)b").hasPrefix("a\\u{"))
  }

  @Test(arguments: ["Grok é", "深度求索", "👩‍💻 at work", "👍🏽", "Ω ‘quoted’ – dash", "naïve", "हिन्दी"])
  func `is no letter or picture`(text: String) throws {
    #expect(try Text(text).value == text)
    #expect(Misleading.shown(text) == text)
  }

  @Test func `an old event that holds one is still read`() throws {
    let stored = Array(#"{"name":"xai","title":"x\u202ey"}"#.utf8)
    let event = try ProviderRegistered(jsonBytes: stored)
    #expect(event.title.value == "x\u{202E}y")
  }

  @Test(arguments: [
    #"{"name":"xai","title":"a\u202eb"}"#, "{\"a\":[\"x\",{\"title\":\"a\u{202E}\"}]}",
    "{\"\u{200B}\":1}",
    #"["\u0001"]"#,
  ])
  func `is found anywhere in a document`(text: String) throws {
    let json = try JSONValue(document: Array(text.utf8))
    #expect(throws: JSONProblem.self) { try Misleading.check(json) }
  }

  @Test func `lines and tabs of a program are none`() throws {
    try Misleading.check(JSONValue(document: Array(#"{"command":["sh","-c","a\n\tb \\ é"]}"#.utf8)))
  }
}
