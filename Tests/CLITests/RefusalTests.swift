// How runs end that do not succeed: exit codes, messages and help.

import Foundation
import Hosting
import TestKit
import Testing
import Wire

extension AgainstWharfd {
  struct RefusalTests {
    @Test func `A refusal exits with 1, and says why and what would help`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let position = try await admin.next()
      try await admin.does("provider", "register", "xai")
      let taken = try await admin.wharf("provider", "register", "XAI")
      #expect(taken.code == 1 && taken.out.isEmpty)
      #expect(
        taken.err == """
          error: there is already a provider named 'XAI' (provider/\(position))
          help: see it with: wharf provider show XAI

          """)
      let unknown = try await admin.wharf("agreement", "terminate", "nobody")
      #expect(
        unknown.code == 1 && unknown.err.contains("help: list them with: wharf provider list"))
      let training = try await admin.wharf("model", "onboard", "xai/grok-3", "--task", "chat")
      #expect(training.code == 1 && training.err.contains("no agreement with xai is in force"))
      let ahead = try await admin.wharf("provider", "list", "--as-of", "99999")
      #expect(ahead.code == 1 && ahead.err.contains("there is no position 99999 yet"))
      let moment = try await admin.wharf("provider", "list", "--as-of", "no-such-mark")
      #expect(moment.code == 1 && moment.err.contains("expected a position, a time or a mark"))
    }

    @Test func `Wrong usage exits with 2`() async throws {
      let someone = try Hosted().someone("nobody")
      let long = String(repeating: "a", count: 64)
      for (arguments, reason) in [
        (["provider", "register"], "Missing expected argument '<provider>'"),
        (["provider", "register", ""], "a name cannot be empty"),
        (["provider", "register", long], "a name has at most 63 characters, this one has 64"),
        (["provider", "register", "a b"], "'a b' is no name"),
        (
          ["provider", "register", "x", "--reason", String(repeating: "r", count: 201)],
          "at most 200"
        ),
        (["provider", "show", ""], "a name cannot be empty"),
        (["model", "onboard", "grok", "--task", "chat"], "is no model: write PROVIDER/MODEL"),
        (
          ["deployment", "create", "g", "--model", "a/b"], "it names no version: write a/b:VERSION"
        ),
        (["agreement", "amend", "xai"], "nothing to amend"),
        (["provider", "list", "--watch", "--as-of", "3"], "choose one"),
        (["provider", "list", "-o", "xml"], "'xml' is invalid"),
        (["provider", "list", "--api", "ftp://x"], "is no address of an API"),
        (["events", "--type", "nope"], "there is no event type 'nope'"),
        (["bogus"], "error: there is no 'wharf bogus'"),
        (["teem", "list"], "error: there is no 'wharf teem'; did you mean 'team'?"),
        (["team", "remove", "copilot"], "'wharf team' goes on with: register"),
      ] {
        let ran = try await Programs.run(
          "wharf", arguments, environment: someone.environment, folder: someone.folder)
        #expect(ran.code == 2 && ran.err.contains(reason), "\(arguments): \(ran)")
        #expect(ran.out.isEmpty)
      }
    }

    @Test func `An API that is not there exits with 3, and is not tried for long`() async throws {
      let hosted = try Hosted()
      let someone = try hosted.someone("nobody", token: "wharf-person-x")
      for arguments in [["provider", "list"], ["provider", "register", "xai"]] {
        let ran = try await Programs.run(
          "wharf", arguments, environment: someone.environment, folder: someone.folder)
        #expect(ran.code == 3, "\(ran)")
        #expect(
          ran.err.hasPrefix("error: cannot reach the API at \(hosted.api): nothing answers there"))
        #expect(ran.err.contains("help: start one with 'wharf up'"))
      }
    }

    @Test func `Waiting for too long exits with 4, and says what it waited for`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      let ran = try await admin.wharf(
        "deployment", "create", "grok", "--model", "xai/grok-3:1", "--wait", "--timeout", "1")
      #expect(ran.code == 4, "\(ran)")
      #expect(ran.out.hasPrefix("created deployment grok"))
      #expect(ran.err.contains("error: deployment grok: 0 of 1 replicas ready"))
      #expect(ran.err.contains("help: wharf why deployment grok"))
      let gone = try await admin.does("deployment", "delete", "grok", "--wait")
      #expect(gone.contains("gone in"))
      try await admin.does("deployment", "create", "grok", "--model", "xai/grok-3:1")
      let json = try await admin.does("deployment", "delete", "grok", "--wait", "-o", "json")
      #expect(throws: Never.self, "one document, and no more: \(json)") {
        try JSONValue(document: Array(json.utf8))
      }
    }

    @Test func `A token that is unknown, wrong or missing is refused with the way to log in`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let wrong = try await hosted.someone("wrong", token: "wharf-person-0000").wharf("status")
      #expect(wrong.code == 1 && wrong.err.contains("help: log in again with: wharf login"))
      let none = try await hosted.someone("none").wharf("status")
      #expect(none.code == 1 && none.err.contains("wharf login"))
      let odd = try await hosted.someone("odd", token: "a\nb").wharf("status")
      #expect(odd.code == 2)
    }

    @Test func `A command that is too long is not sent`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let long = String(repeating: "x", count: CommandCall.bodyLimitBytes)
      let engine = Someone.engine.appending("\nenvironment: {A: \(long)}\n")
      let ran = try await admin.wharf("engine", "define", "-f", "-", input: engine)
      #expect(ran.code == 1 && ran.err.contains("it may have \(CommandCall.bodyLimitBytes)"))
    }

    @Test func `A dry run says what would be recorded, and records nothing`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let head = try await admin.does("status", "-q")
      let position = try #require(Int(head))
      let said = try await admin.does("provider", "suspend", "xai", "--dry-run")
      #expect(said.hasPrefix("would record:\n  provider/\(position)  providerSuspended"))
      let refused = try await admin.wharf("provider", "suspend", "meta", "--dry-run")
      #expect(refused.code == 1)
      let secret = try await admin.does("person", "invite", "ada", "--role", "viewer", "--dry-run")
      #expect(!secret.contains("wharf-invitation"))
      #expect(try await admin.does("status", "-q") == head)
      #expect(try await admin.does("provider", "list").contains("active"))
    }

    @Test func `The same command id is one command; a precondition that fails refuses`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let position = try await admin.next()
      let id = "01970000-0000-7000-8000-000000000001"
      let first = try await admin.does("provider", "register", "xai", "--command-id", id)
      #expect(try await admin.does("provider", "register", "xai", "--command-id", id) == first)
      let other = try await admin.wharf("provider", "register", "meta", "--command-id", id)
      #expect(other.code == 1 && other.err.contains("this command id was used before"))
      try await admin.does("provider", "suspend", "xai")
      let stale = try await admin.wharf(
        "provider", "reinstate", "xai", "--unchanged-since", "\(position)")
      #expect(stale.code == 1 && stale.err.contains("changed at position \(position + 1)"))
    }
  }
}
