// What every program says of its command line: one version, one form of what is wrong, the same exit codes.

import ArgumentParser
import Foundation
import Hosting
import Program
import TestKit
import Testing
import Wire

@testable import CLI

@Suite struct UsageTests {
  private static let programs = [
    "wharf", "wharfd", "wharf-agent", "wharf-gateway", "wharf-engine-sim", "wharf-holder",
    "wharf-bench",
  ]

  private func run(_ program: String, _ arguments: [String]) async throws -> Ran {
    let folder = try TestFolder()
    return try await Programs.run(
      program, arguments,
      environment: ["HOME": folder.root, "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": folder.root],
      folder: folder.root)
  }

  @Test(arguments: programs) func `every program says its version`(program: String) async throws {
    let ran = try await run(program, ["--version"])
    #expect(ran.code == 0, "\(ran)")
    #expect(ran.out == "\(program) \(Program.version)\n", "\(ran)")
  }

  @Test(arguments: programs) func `wrong usage of any program exits with 2`(program: String)
    async throws
  {
    let ran = try await run(program, program == "wharfd" ? ["verify", "--bogus"] : ["--bogus"])
    #expect(ran.code == 2, "\(ran)")
    #expect(ran.out.isEmpty, "\(ran)")
    if program != "wharf-holder" { #expect(ran.err.hasPrefix("error: "), "\(ran)") }
  }

  @Test func `a negative number is a value, and told what it may be`() async throws {
    #expect(
      Program.arguments(["a", "--replicas", "-1", "--wait", "--", "--x", "-2"])
        == ["a", "--replicas=-1", "--wait", "--", "--x", "-2"])
    #expect(
      Program.arguments(["--token", "-", "-q", "--a=b", "-3"]) == [
        "--token", "-", "-q", "--a=b", "-3",
      ])
    #expect(Program.arguments(["--grace", "-5m", "-q"]) == ["--grace=-5m", "-q"])
    for (arguments, told) in [
      (["key", "rotate", "a", "--name", "b", "--grace", "-5m"], "'-5m' is no length of time"),
      (
        ["model", "add-version", "x/y:1", "--engine", "sim", "--memory", "-1GiB"],
        "'-1GiB' is no amount of memory"
      ),
      (["deployment", "scale", "grok", "--replicas", "-1"], "--replicas must be from 0 to"),
      (["deployment", "create", "grok", "--model", "x/y:1", "--replicas", "-3"], "and is -3"),
      (
        ["model", "add-version", "x/y:1", "--engine", "sim", "--devices", "-2"],
        "--devices must be 0 or more"
      ),
      (["events", "--limit", "-1"], "--limit must be 1 or more, and is -1"),
      (["node", "join-token", "--valid-hours", "-1"], "'-1' is no length of time: write 24h"),
    ] {
      let ran = try await run("wharf", arguments)
      #expect(ran.code == 2 && ran.err.contains(told), "\(arguments): \(ran)")
    }
  }

  /// Options that name a file or folder.
  private static let paths: [(String, [String])] = [
    ("wharfd", ["run", "--secret-file"]), ("wharfd", ["run", "--seen-file"]),
    ("wharfd", ["finalize", "--secret-file"]), ("wharf-agent", ["run", "--data"]),
    ("wharf-agent", ["status", "--data"]), ("wharf-agent", ["stop-engines", "--data"]),
    ("wharf-agent", ["run", "--join-token-file"]), ("wharf-gateway", ["run", "--credential-file"]),
    ("wharf-gateway", ["run", "--metrics-token-file"]),
    ("wharf-gateway", ["accept-log", "--seen-file"]), ("wharf", ["apply", "-f"]),
    ("wharf", ["engine", "define", "-f"]),
  ]

  @Test(arguments: paths) func `an empty name of a file is wrong usage`(
    program: String, words: [String]
  ) async throws {
    let ran = try await run(program, words + [""])
    #expect(ran.code == 2 && ran.err.contains("a file or folder cannot be empty"), "\(ran)")
  }

  /// Each program that is told where a wharfd answers, with the words before the address.
  private static let callers: [(String, [String])] = [
    ("wharf", ["status", "--api"]), ("wharf-agent", ["run", "--server"]),
    ("wharf-gateway", ["run", "--server"]), ("wharfd", ["run", "--advertise"]),
  ]

  @Test(arguments: callers) func `what is no address of a wharfd is wrong usage`(
    program: String, words: [String]
  ) async throws {
    for address in [
      "", "  ", "http://", "ftp://x", "http://127.0.0.1:99999", "http://127.0.0.1:0",
      "http://:7400",
      "127.0.0.1:x", "http://[::1", "http://a:b:c", "http:///v1",
    ] {
      let ran = try await run(program, words + [address])
      #expect(ran.code == 2 && ran.err.contains("is no address of"), "\(address): \(ran)")
    }
    for address in ["127.0.0.1:7400", "http://[::1]:7400/", "HTTPS://wharf.example.com/api"] {
      #expect(throws: Never.self) { try ServerAddress(address) }
    }
  }

  @Test func `a plain number is a length of time only behind a name that says its unit`() {
    let read = [
      ["--drain-seconds", "30"]: ["--drain-seconds", "30s"],
      ["--drain-seconds=30"]: ["--drain-seconds=30s"],
      ["--load-seconds", "0.5"]: ["--load-seconds", "0.5s"],
      ["--grace-hours", "24"]: ["--grace-hours", "24h"],
      ["--minutes", "15"]: ["--minutes", "15m"],
      ["--time-to-first-token-ms", "200"]: ["--time-to-first-token-ms", "200ms"],
      ["--timeout", "30"]: ["--timeout", "30s"],
      ["--drain-seconds", "2m"]: ["--drain-seconds", "2m"],
      ["--grace", "24"]: ["--grace", "24"],
      ["--requests-per-minute", "60"]: ["--requests-per-minute", "60"],
      ["--argument=--load-seconds=3"]: ["--argument=--load-seconds=3"],
      ["--", "--load-seconds", "3"]: ["--", "--load-seconds", "3"],
    ]
    for (given, wanted) in read { #expect(Program.arguments(given) == wanted) }
  }

  /// Of every program: what it was given, and what it says of it.
  private static let lengths: [(String, [String], String)] = [
    ("wharf", ["key", "rotate", "a", "--name", "b", "--grace", "24"], "'24' is no length of time"),
    ("wharf", ["key", "rotate", "a", "--name", "b", "--grace", "31d"], "too long: at most 30d"),
    ("wharf", ["key", "rotate", "a", "--name", "b", "--grace-hours", "721"], "at most 30d"),
    ("wharf", ["node", "join-token", "--valid", "90m"], "is no whole number of hours"),
    ("wharf", ["node", "join-token", "--valid-hours", "0"], "too short: at least 1h"),
    ("wharf", ["gateway", "set-grace", "15"], "'15' is no length of time: write 24h, 15m or 30s"),
    ("wharf", ["gateway", "set-grace", "25h"], "too long: at most 1d"),
    ("wharf", ["gateway", "set-grace", "15m", "--minutes", "15"], "say once how long"),
    ("wharf", ["gateway", "set-grace"], "say once how long"),
    ("wharf", ["token", "issue", "--name", "a", "--expires", "12"], "is no length of time"),
    ("wharf", ["person", "forget", "a", "--timeout", "1w"], "'1w' is no length of time"),
    ("wharf", ["team", "revoke", "a", "x/y", "--wait", "--timeout", "2d"], "at most 1d"),
    ("wharfd", ["--drain", "30"], "'30' is no length of time"),
    ("wharfd", ["--node-lost-seconds", "1"], "too short: at least "),
    ("wharf-gateway", ["run", "--drain-seconds", "2w"], "'2w' is no length of time"),
    ("wharf-agent", ["run", "--device-look", "0s"], "too short: at least 1s"),
    ("wharf-agent", ["run", "--cpu", "8000"], "thousandths read 8000m"),
    ("wharf-agent", ["run", "--memory", "64G"], "write 64GiB or 64GB"),
    ("wharf-agent", ["run", "--memory", "0"], "more than no memory"),
    ("wharf-engine-sim", ["--load", "3"], "'3' is no length of time"),
    ("wharf-bench", ["log", "--time", "0s"], "too short: at least 1ms"),
  ]

  @Test(arguments: lengths) func `every length of time has a unit`(
    program: String, arguments: [String], told: String
  ) async throws {
    let ran = try await run(program, arguments)
    #expect(ran.code == 2 && ran.err.contains(told), "\(arguments): \(ran)")
  }

  @Test(arguments: [
    (["--cpu", "500m"], 500), (["--cpu", "1.5"], 1_500), (["--cpu", "2"], 2_000),
    (["--cpu-millis", "250"], 250), ([], 1_000),
  ])
  func `a version takes processors in their own units`(words: [String], millis: Int) throws {
    let verb = try ModelAddVersion.parse(["xai/m:1", "--engine", "sim"] + words)
    let command = try #require(verb.command() as? AddModelVersion)
    #expect(command.needs.cpuMillis == millis)
  }

  @Test(arguments: [
    (["--notice", "90d"], 90), (["--notice", "48h"], 2), (["--notice", "2w"], nil),
    (["--notice", "36h"], nil), (["--notice", "90"], nil), ([], 0),
  ])
  func `an agreement takes notice in whole days, in any unit`(words: [String], days: Int?) throws {
    let arguments = [
      "xai", "--scope", "inference", "--audience", "internal", "--from", "2025-05-01",
    ]
    guard let days else {
      #expect(throws: (any Error).self) { try AgreementSign.parse(arguments + words) }
      return
    }
    let verb = try AgreementSign.parse(arguments + words)
    let command = try #require(try verb.command() as? SignAgreement)
    #expect(command.terms.noticeDays == days)
  }

  @Test func `a name that is far too long is not repeated whole`() async throws {
    let long = String(repeating: "n", count: 3_000)
    let ran = try await run("wharf", ["team", "show", long])
    #expect(ran.code == 2 && ran.err.contains("this one has 3000"), "\(ran)")
    let first = try #require(ran.err.split(separator: "\n").first)
    #expect(first.count < 200, "\(first)")
    #expect(first.contains("nnn…' is invalid"), "\(first)")
  }

  @Test func `an unknown option gets a guess where one is near, and none elsewhere`() async throws {
    for (option, guess) in [("--wait", nil), ("--outptu", "'--output'")] as [(String, String?)] {
      let ran = try await run("wharf", ["provider", "list", option])
      #expect(ran.code == 2 && ran.err.contains("Unknown option '\(option)'"), "\(ran)")
      #expect(ran.err.contains("Did you mean") == (guess != nil), "\(ran)")
      if let guess { #expect(ran.err.contains(guess), "\(ran)") }
    }
  }

  @Test func `the digest of weights stands in the command that is sent`() throws {
    let digest = Digest.numbered(3)
    let parsed = try Wharf.parseAsRoot([
      "model", "add-version", "xai/m:1", "--engine", "sim", "--path", "/m", "--weights",
      "\(digest)",
    ])
    let command = try #require(parsed as? ModelAddVersion).command() as? AddModelVersion
    #expect(command?.weights == digest && command?.modelPath == "/m")
  }

  @Test func `two forms of an answer exclude each other`() async throws {
    for format in ["json", "yaml"] {
      let ran = try await run("wharf", ["team", "list", "-o", format, "-q"])
      #expect(ran.code == 2 && ran.err.contains("choose one"), "\(ran)")
    }
  }

  @Test func `an address that leads nowhere says why`() async throws {
    let unknown = try await run(
      "wharf", ["team", "list", "--api", "http://no-such-host.invalid:7400"])
    #expect(unknown.code == 3, "\(unknown)")
    #expect(
      unknown.err.contains("no machine of the name 'no-such-host.invalid' is known"), "\(unknown)")
    let nobody = try await run(
      "wharf", ["team", "list", "--api", "127.0.0.1:\(Programs.freePort())"])
    #expect(nobody.code == 3 && nobody.err.contains("nothing answers there"), "\(nobody)")
  }

  @Test func `memory is shown in the unit that people think in`() {
    let shown = [
      0: "0B", 1_000: "1000B", 1_024: "1KiB", 80 << 30: "80GiB", 24_684_084 << 10: "23.5GiB",
      3 << 40: "3TiB", (1 << 30) - 1: "1024MiB", -(5 << 30): "-5GiB",
    ]
    for (count, text) in shown { #expect(Bytes(count: Int64(count)).short == text) }
  }

  /// In help, refusals and errors; `wharf` and the program's own verbs.
  @Test func `every command that a text of ours names is one`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources")
    var nouns: [String: [String]] = [:]
    for group in Wharf.configuration.groupedSubcommands {
      for noun in group.subcommands {
        let verbs = noun.configuration.subcommands.map { $0.configuration.commandName ?? "" }
        // One with a verb that need not be said takes other words.
        let isOpen = noun.configuration.defaultSubcommand != nil
        nouns[noun.configuration.commandName ?? ""] = isOpen ? [] : verbs
      }
    }
    // In prose the program's name is followed by other words than its commands; and labels of derived
    // keys begin with it.
    let prose: Set<String> = [
      "on", "runs", "here", "of", "is", "has", "can", "for", "program", "programs", "and", "up",
      "snapshots", "personal", "keys", "cluster", "scenario", "tends", "that",
    ]
    var seen = 0
    let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
    for file in files?.allObjects as? [URL] ?? [] where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for line in text.split(separator: "\n") where !line.contains("//") {
        for match in line.matches(of: #/(?:^|[ :'"(])wharf ([a-z-]+)(?: ([a-z-]+))?/#) {
          let noun = String(match.1)
          guard let verbs = nouns[noun] else {
            if !prose.contains(noun) {
              Issue.record("\(file.lastPathComponent) names 'wharf \(noun)': \(line)")
            }
            continue
          }
          seen += 1
          guard !verbs.isEmpty, let verb = match.2.map(String.init), !prose.contains(verb) else {
            continue
          }
          #expect(
            verbs.contains(verb), "\(file.lastPathComponent) names 'wharf \(noun) \(verb)': \(line)"
          )
        }
      }
    }
    #expect(seen > 50)
  }
}

extension AgainstWharfd {
  struct AddressTests {
    @Test func `an invitation that is none, and the events of then`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let login = try await hosted.someone("ada").wharf("login", "--invitation", "bogus")
      #expect(login.code == 1, "\(login)")
      #expect(login.err.contains("cannot accept the invitation: it is not known"), "\(login)")
      #expect(login.err.contains("wharf person invite"), "\(login)")

      let admin = try hosted.admin()
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does("mark", "then")
      try await admin.does("team", "register", "contoso", "--audience", "external")
      let then = try await admin.does("events", "--as-of", "then", "--type", "teamRegistered")
      #expect(then.contains("copilot") && !then.contains("contoso"), "\(then)")
      let last = try await admin.does("events", "--as-of", "then", "--limit", "1")
      #expect(last.contains("teamRegistered") || last.contains("markPlaced"), "\(last)")
      #expect(!last.contains("contoso"), "\(last)")
      let now = try await admin.does("events", "--type", "teamRegistered")
      #expect(now.contains("contoso"))
      #expect(try await admin.wharf("events", "--as-of", "then", "--follow").code == 2)
    }
  }
}
