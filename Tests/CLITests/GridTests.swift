// Tables and details as text.

import Testing

@testable import CLI

struct GridTests {
  private static let plain = Terminal(width: 40, hasColour: false)

  private static let grid = Grid(
    titles: ["NAME", "WHAT IT SAYS", "N"],
    rows: [
      ["xai", "a long sentence that no narrow terminal can hold", "1"], ["meta", "", "22"],
    ])

  @Test func `A table is as wide as the terminal, and no wider`() {
    #expect(
      Self.grid.lines(Self.plain).joined(separator: "\n")
        == """
        NAME  WHAT IT SAYS                    N
        xai   a long sentence that no narrow… 1
        meta                                  22
        """.replacing("… 1", with: "…  1").replacing("narrow…", with: "narro…"))
    #expect(Self.grid.lines(Self.plain).allSatisfy { $0.count <= 40 })
  }

  @Test func `A wide table cuts nothing`() {
    let lines = Self.grid.lines(Self.plain, fitting: false)
    #expect(lines[1] == "xai   a long sentence that no narrow terminal can hold  1")
  }

  @Test(arguments: [20, 21, 25, 30, 60])
  func `Any width is kept to`(width: Int) {
    let terminal = Terminal(width: width, hasColour: false)
    #expect(Self.grid.lines(terminal).allSatisfy { $0.count <= width })
  }

  @Test func `Colour is written only where there is some`() {
    let grid = Grid(titles: ["A"], rows: [[Cell("up", .good)]])
    #expect(grid.lines(Self.plain) == ["A", "up"])
    let coloured = Terminal(width: 40, hasColour: true)
    #expect(grid.lines(coloured) == ["\u{1B}[2mA\u{1B}[0m", "\u{1B}[32mup\u{1B}[0m"])
  }

  @Test func `NO_COLOR and COLUMNS are heard`() {
    let around = Surroundings(environment: ["COLUMNS": "55", "NO_COLOR": "1"])
    let terminal = Terminal(around, isInteractive: true)
    #expect(terminal.width == 55)
    #expect(!terminal.hasColour)
  }

  @Test(arguments: ["0", "-5", "wide", ""])
  func `A width that is none is not heard`(columns: String) {
    let around = Surroundings(environment: ["COLUMNS": columns])
    #expect((Terminal(around, isInteractive: true).width ?? 0) >= 80)
  }

  @Test(arguments: ["0", "40", "100"])
  func `What goes into a pipe is never cut`(columns: String) {
    let pipe = Terminal(Surroundings(environment: ["COLUMNS": columns]), isInteractive: false)
    #expect(
      Self.grid.lines(pipe)[1].hasSuffix("a long sentence that no narrow terminal can hold  1"))
  }

  @Test func `Letters and pictures of two columns keep a table straight`() {
    let grid = Grid(
      titles: ["NAME", "N"], rows: [["深度求索", "1"], ["👩‍💻 é", "2"], ["plain", "3"]])
    #expect(
      grid.lines(Self.plain) == ["NAME      N", "深度求索  1", "👩‍💻 é      2", "plain     3"])
    let narrow = Terminal(width: 8, hasColour: false)
    #expect(grid.lines(narrow)[1] == "深度…  1")
  }

  @Test func `A cell shows what would mislead the eye`() {
    #expect(Cell("a\u{202E}b\u{200B}\u{1B}[2Jc").text == "a\\u{202E}b\\u{200B}\\u{1B}[2Jc")
    #expect(Terminal.safe("one\ntwo \u{2066}\u{1B}[31mred") == "one\ntwo \\u{2066}\u{1B}[31mred")
  }

  @Test func `Details leave out what has no value, and empty tables`() {
    var details = Details(fields: [
      ("name", "xai"), ("suspended", nil), ("long name", "x"),
    ])
    details.add("NOTHING", ["A"], [])
    details.add("GRANTS", ["MODEL"], [["xai/grok-3"]])
    #expect(
      details.lines(Self.plain).joined(separator: "\n") == """
        name       xai
        long name  x

        GRANTS
        MODEL
        xai/grok-3
        """)
  }
}
