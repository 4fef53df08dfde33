// The style of the house, as tests: module directions from one declared table, no clock, randomness
// or made-up ids in the pure modules, files that fit, nothing left over.

import Foundation
import Testing

/// What each module may import of ours. SwiftPM lets an undeclared import of a transitive target
/// build, so this table is the rule.
private let directions: [String: Set<String>] = [
  "Postgres": ["CLibPQ", "CLinux", "Machine"],
  "Records": [],
  "wharf-records": ["Records"],
  "Hosting": [],
  "Planner": ["Hosting"],
  "Time": ["Hosting"],
  "Wire": ["Hosting", "Machine", "Time"],
  "Machine": ["CLinux"],
  "EventLog": ["Hosting", "Machine", "Migrations", "Postgres", "Time"],
  "HTTPServing": [],
  "ControlPlane": [
    "EngineTemplates", "EventLog", "Hosting", "HTTPServing", "Machine", "Migrations", "Planner",
    "Postgres", "Time", "Wire",
  ],
  "Agent": ["CLinux", "Hosting", "Machine", "Time", "Wire"],
  "Gateway": ["Hosting", "HTTPServing", "Machine", "Time", "Wire"],
  "Program": ["CLinux", "Hosting"],
  "EngineSim": ["HTTPServing", "Hosting", "Program"],
  "Up": ["CLinux", "Hosting", "Machine", "Time", "Wire"],
  "CLI": ["CLinux", "Hosting", "Machine", "Program", "Time", "Up", "Wire"],
  "Bench": ["ControlPlane", "EventLog", "Hosting", "Machine", "Planner", "Postgres", "Wire"],
  "TestTools": ["CLinux", "Hosting", "Time"],
  "TestKit": ["CLinux", "Hosting", "Machine", "Postgres", "TestTools", "Wire"],
  "wharf": ["CLI"],
  "wharfd": [
    "ControlPlane", "EventLog", "Hosting", "Machine", "Migrations", "Postgres", "Program", "Time",
    "Wire",
  ],
  "wharf-bench": ["Bench", "Hosting", "Machine", "Program"],
  "wharf-agent": ["Agent", "Hosting", "Program", "Wire"],
  "wharf-gateway": ["Gateway", "Hosting", "Program", "Wire"],
  "wharf-engine-sim": ["EngineSim"],
]

/// Modules that decide, and so must be pure: what else they may import.
private let pure: [String: Set<String>] = [
  "Hosting": ["HashTreeCollections"],
  "Planner": ["HashTreeCollections", "DequeModule", "HeapModule", "OrderedCollections"],
]

/// What may read clocks, sleep and draw at random by itself: the one module that does it for all others, the
/// driver, which waits for sockets only, a program that stands in for an engine, and what measures and tests.
private let timekeepers = ["Time", "Postgres", "EngineSim", "Bench", "TestTools", "TestKit"]

/// What is begun by a person or a service manager, and so has the machine's own clocks. All else is handed
/// them; a default of a parameter is none of its own.
private let begun = [
  "Time", "CLI", "Up", "wharf", "wharfd", "wharf-agent", "wharf-gateway", "TestTools", "TestKit",
]

private let longestFileLines = 600
private let widestLineCharacters = 120

@Suite struct TidyTests {
  private let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func files(_ folder: String, _ endings: [String] = ["swift"]) throws -> [URL] {
    let all = FileManager.default.enumerator(
      at: root.appending(path: folder), includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter { endings.contains($0.pathExtension) }
  }

  private func imports(_ text: String) -> Set<String> {
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
        words[..<index].allSatisfy({
          $0.hasPrefix("@") || ["package", "private", "public"].contains($0)
        })
      else { continue }
      let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "typealias"]
      let name = kinds.contains(words[index + 1]) ? words[index + 2] : words[index + 1]
      found.insert(String(name.split(separator: ".")[0]))
    }
    return found
  }

  @Test func `modules import only what the table of directions allows`() throws {
    let ours = Set(directions.keys).union(["CLibPQ", "CLinux", "Migrations", "EngineTemplates"])
    for module in try FileManager.default.contentsOfDirectory(
      at: root.appending(path: "Sources"), includingPropertiesForKeys: nil)
    {
      let name = module.lastPathComponent
      let sources = try files("Sources/\(name)")
      guard !sources.isEmpty else { continue }
      let allowed = try #require(
        directions[name], "module \(name) is not in the table of directions")
      for file in sources {
        let found = imports(try String(contentsOf: file, encoding: .utf8)).intersection(ours)
        let wrong = found.subtracting(allowed).subtracting([name])
        #expect(wrong.isEmpty, "\(file.lastPathComponent) of \(name) imports \(wrong)")
      }
    }
  }

  @Test func `what decides is pure: no library, clock, randomness or id made inside`() throws {
    let banned = [
      "Date()", "Clock", "DispatchTime", "clock_gettime", "SystemRandomNumberGenerator", ".random(",
      "UUID()", "ProcessInfo", "Task.sleep",
    ]
    for (module, libraries) in pure {
      for file in try files("Sources/\(module)") {
        let text = try String(contentsOf: file, encoding: .utf8)
        // A part of a snapshot is read once, by whoever asks first: from outside it is a value all the same.
        let late: Set<String> =
          file.lastPathComponent == "Unread.swift" ? ["Synchronization"] : []
        let allowed = libraries.union(directions[module] ?? []).union(late)
        let wrong = imports(text).subtracting(allowed)
        #expect(wrong.isEmpty, "\(file.lastPathComponent) imports \(wrong)")
        let code = text.split(separator: "\n").filter {
          !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//")
        }.joined(separator: "\n")
        for word in banned where code.contains(word) {
          Issue.record("\(file.lastPathComponent) of \(module) uses \(word)")
        }
      }
    }
  }

  /// Lines of code that hold one of some words. Regular expressions are slow in a debug build, this is not.
  private func code(
    _ file: URL, with words: [String]
  ) throws -> [(number: Int, line: Substring)] {
    let lines = try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().filter { _, line in
      let text = String(line)
      return words.contains { strstr(text, $0) != nil }
        && !line.drop(while: { $0 == " " }).hasPrefix("//")
    }.map { ($0.offset + 1, $0.element) }
  }

  private var modules: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
    }
  }

  @Test func `clocks, sleep and randomness come of Clocks, and of nothing else`() throws {
    let words = [
      ".now", "Clock", ".continuous", ".suspending", "sleep", "clock_gettime", "gettimeofday",
      "time(nil)", "Dispatch", "asyncAfter", "makeTimerSource", "Date", "NIODeadline", "UUID()",
      "Generator", "rand", "shuffle",
    ]
    let banned = try [
      #"(Continuous|Suspending)Clock(\.now|\(\))"#, #"[(:,=<>\s]\.now\b"#,
      #"\.(continuous|suspending)\b"#,
      #"\bTask\.sleep\b"#, #"\b(nanosleep|usleep|clock_gettime|gettimeofday)\b"#, #"\bsleep\(\d"#,
      #"\btime\(nil\)"#, #"\b(DispatchTime|DispatchWallTime|asyncAfter|makeTimerSource)\b"#,
      #"\bDate\(\)|\bDate\.now\b|\bNIODeadline\b|\bUUID\(\)"#, #"\bSystemRandomNumberGenerator\b"#,
      #"\b(getrandom|arc4random|rand|random)\(\)"#, #"\.random\((?!.*using:)"#,
      #"\.(randomElement|shuffled|shuffle)\(\)"#,
    ].map { try Regex($0) }
    func readings(_ module: String) throws -> [String] {
      try files("Sources/\(module)").flatMap { file in
        try code(file, with: words).filter { line in banned.contains { line.line.contains($0) } }
          .map { "\(file.lastPathComponent):\($0.number):\($0.line)" }
      }
    }
    for module in try modules where !timekeepers.contains(module) {
      for reading in try readings(module) {
        Issue.record("\(reading): take it of the Clocks that were handed in")
      }
    }
    for module in timekeepers {
      #expect(try !readings(module).isEmpty, "\(module) reads none, and need not be allowed to")
    }
  }

  @Test func `only what is begun by itself has the machine's clocks, all else is handed them`()
    throws
  {
    let made = #/\bClocks\.system\b|\b(clocks|by): \.system\b|\bClocks = \.system\b/#
    let byDefault =
      #/\b(clocks: Clocks = \.system|random: Clocks\.Random = Clocks\.system\.random|var clocks = Clocks\.system)\b/#
    for module in try modules where !begun.contains(module) {
      for file in try files("Sources/\(module)") {
        for (number, line) in try code(file, with: ["Clocks", "clocks", ".system"])
        where line.contains(made) && !line.contains(byDefault) {
          Issue.record("\(file.lastPathComponent):\(number) has clocks of its own:\(line)")
        }
      }
    }
  }

  /// Whoever folds by hand what it has decided forgets what `Trial` knows: times that never fall, events that do
  /// not fit, a command of too many.
  @Test func `what was decided is folded by Trial; stored events, by who reads them`() throws {
    let readers: Set<String> = [
      "EventLog/StoredEvent.swift",  // the fold of the log
      "ControlPlane/Views/Projection.swift",  // keeps the state before an event, too
      "TestKit/World.swift", "TestKit/RandomHistory.swift",  // what tests compare `Trial` with
    ]
    var found: Set<String> = []
    for file in try files("Sources") {
      let place = file.path.components(separatedBy: "/Sources/").last ?? ""
      guard !place.hasPrefix("Hosting/"),
        try String(contentsOf: file, encoding: .utf8).contains(#/[^A-Za-z]evolve\(/#)
      else { continue }
      found.insert(place)
      #expect(readers.contains(place), "\(place) folds by hand: use Trial")
    }
    #expect(found == readers, "these fold nothing any more: \(readers.subtracting(found))")
  }

  @Test func `files fit: no more than 600 lines, no line over 120 characters`() throws {
    for file in try files("Sources", ["swift", "c", "h"]) + files("Tests") {
      let lines = try String(contentsOf: file, encoding: .utf8)
        .split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= longestFileLines, "\(file.lastPathComponent) has \(lines.count) lines")
      // Golden texts are as wide as what they show.
      for (index, line) in lines.enumerated()
      where line.count > widestLineCharacters && file.path.contains("/Sources/") {
        Issue.record("\(file.lastPathComponent):\(index + 1) has \(line.count) characters")
      }
    }
  }

  /// Foundation's `Process` waits without a limit, on a run loop that may never hear of the end.
  @Test func `every process has an end that is waited for with a limit`() throws {
    // Written in two parts, so that this file does not find itself.
    let unlimited = ["= Process" + "()", "wait" + "UntilExit"]
    for file in try files("Sources") + files("Tests") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for word in unlimited where text.contains(word) {
        Issue.record("\(file.lastPathComponent) uses \(word): TestKit's Child has limits")
      }
    }
  }

  /// On a machine it may exist, and be anything: a folder of a test's own is known to be empty.
  @Test func `no test takes a path of the machine for one that does not exist`() throws {
    // Written in two parts, so that this file does not find itself.
    let supposed = ["/non" + "existent", "/does-" + "not-exist", "/no-" + "such"]
    for file in try files("Tests") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for path in supposed where text.contains("\"\(path)") || text.contains("=\(path)") {
        Issue.record(
          "\(file.lastPathComponent) supposes \(path): use TestFolder().path(\"none\")")
      }
    }
  }

  @Test func `a file opens with what it is for`() throws {
    for file in try files("Sources") {
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(text.hasPrefix("//"), "\(file.lastPathComponent) does not")
    }
  }

  @Test func `nothing is left over`() throws {
    // Written in two parts, so that this file does not find itself.
    let marks = ["FIX" + "ME", "TO" + "DO", "XX" + "X:"]
    for file in try files("Sources", ["swift", "c", "h"]) + files("Tests", ["swift", "py"])
      + files("Deploy", ["yaml", "md"]) + files("Migrations", ["sql", "swift"])
    {
      let text = try String(contentsOf: file, encoding: .utf8)
      for mark in marks where text.contains(mark) {
        Issue.record("\(file.lastPathComponent) holds a \(mark)")
      }
    }
  }

  @Test func `the dependencies of Package.swift each have their line in CONTRIBUTING.md`() throws {
    let package = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    let contributing = try String(
      contentsOf: root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
    for match in package.matches(of: #/\.package\(url: "https://github.com/[^/]+/([^"]+)"/#) {
      #expect(contributing.contains("`\(match.1)`"), "\(match.1) has no line")
    }
  }

  @Test func `no option counts time in a unit of its own`() throws {
    let counted =
      #/@Option[^@]*?var ((?:\w*(?:Seconds|Minutes|Hours|Days|Ms)|seconds|minutes|hours|days|ms))\b/#
    for file in try files("Sources") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for option in text.matches(of: counted) {
        Issue.record(
          "\(file.lastPathComponent): \(option.1) takes no unit: make it a Span, see Lengths")
      }
    }
  }

  @Test func `the program in C has the version of all`() throws {
    let program = try String(
      contentsOf: root.appending(path: "Sources/Program/Program.swift"), encoding: .utf8)
    let holder = try String(
      contentsOf: root.appending(path: "Sources/wharf-holder/options.c"), encoding: .utf8)
    let version = try #require(program.firstMatch(of: #/static let version = "([^"]+)"/#)).1
    #expect(holder.contains("#define VERSION \"\(version)\""))
  }

  @Test func `every type of event is in CONTRIBUTING.md's table`() throws {
    let contributing = try String(
      contentsOf: root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
    for file in try files("Sources/Hosting") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/: Event \{\n  package static let type = "([^"]+)"/#) {
        #expect(contributing.contains("`\(match.1)`"), "\(match.1) has no row")
      }
    }
  }

  @Test func `each check of the log has its tests, and is seen to find something`() throws {
    let contributing = try String(
      contentsOf: root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
    let rows = contributing.matches(of: #/\n\| ([0-9]+) \|([^|]+)\|([^|]+)\|([^|\n]+)\|/#)
    #expect(rows.map { String($0.1) } == (1...17).map(String.init))
    let suites = Set(try files("Tests").map { $0.deletingPathExtension().lastPathComponent })
    for row in rows {
      #expect(row.4.contains(/[a-z]/), "check \(row.1) is not seen to find anything")
      let named = row.3.matches(of: /`([A-Za-z]+)(\.[a-z]+)?`/).map { String($0.1) }
      #expect(!named.isEmpty)
      for suite in named { #expect(suites.contains(suite), "there is no \(suite)") }
    }
  }
}
