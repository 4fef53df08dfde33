// Secrets that cannot be written: nothing is made, as far as that can be known beforehand, and else what was made
// is told with the command that takes it back.

import Foundation
import TestKit
import Testing

extension AgainstWharfd {
  struct SecretPlaceTests {
    /// Runs `wharf` with stdout as a shell has it.
    private func wharf(_ person: Someone, _ shell: String, _ words: [String]) async throws -> Ran {
      let child = try Child(
        ["/bin/sh", "-c", shell, "sh", builtProgram("wharf")] + words,
        environment: person.environment, folder: person.folder, input: "")
      guard case .code(let code) = try await child.waitForExit(withinSeconds: 60) else {
        throw TestFailure("wharf was killed: \(child.errors)")
      }
      return Ran(code: code, out: child.output, err: child.errors)
    }

    /// `wharf` with a stdout that some Python makes.
    private static func python(_ making: String) -> String {
      """
      exec python3 -c 'import fcntl, os, sys
      \(making)
      os.execv(sys.argv[1], sys.argv[1:])' "$@"
      """
    }

    /// A file in memory that is sealed: `F_SEAL_GROW` has no room, `F_SEAL_WRITE` takes room and then no word.
    private static func sealed(_ seal: String) -> String {
      python(
        """
        file = os.memfd_create("answer", os.MFD_ALLOW_SEALING)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.\(seal))
        os.dup2(file, 1)
        """)
    }

    private static let brokenPipe = python("os.dup2(os.pipe()[1], 1)")

    /// Every verb that makes a secret, the type of its event, and the command that takes back what it made.
    private static let verbs: [(words: [String], type: String, amends: String)] = [
      (
        ["key", "issue", "copilot", "--name", "k"], "keyIssued", "wharf key revoke copilot --name k"
      ),
      (
        ["key", "rotate", "copilot", "--name", "old"], "keyRotated",
        "wharf key rotate copilot --name old --end-previous-now"
      ),
      (["token", "issue", "--name", "t"], "personTokenIssued", "wharf token revoke t"),
      (["node", "join-token"], "joinTokenIssued", "wharf node revoke-join-token node/"),
      (["gateway", "register", "g"], "gatewayRegistered", "wharf gateway remove g"),
      (
        ["person", "invite", "ada", "--role", "viewer"], "personInvited",
        "wharf person invite ada --role viewer"
      ),
    ]

    @Test func `Nothing is made where it is known that its secret cannot be written`() async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      defer { withExtendedLifetime(hosted) {} }
      let admin = try hosted.admin()
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does("key", "issue", "copilot", "--name", "old", "-q")
      let before = try await admin.does("events", "-q")
      for shell in [
        #"exec "$@" > /dev/full"#, #"exec "$@" >&-"#, Self.brokenPipe, Self.sealed("F_SEAL_GROW"),
      ] {
        for verb in Self.verbs {
          let ran = try await wharf(admin, shell, verb.words + ["-q"])
          #expect(
            ran.code == 1 && ran.err.contains("error: cannot write to stdout")
              && ran.err.contains("nothing was done"),
            "\(shell) \(verb.words): \(ran)")
        }
      }
      #expect(try await admin.does("events", "-q") == before)
    }

    @Test func `A secret that was lost on the way is told with what takes it back`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      defer { withExtendedLifetime(hosted) {} }
      let admin = try hosted.admin()
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does("key", "issue", "copilot", "--name", "old", "-q")
      for verb in Self.verbs {
        let ran = try await wharf(admin, Self.sealed("F_SEAL_WRITE"), verb.words + ["-q"])
        #expect(
          ran.code == 1 && ran.err.contains("could not be written to stdout")
            && ran.err.contains("nobody has the secret") && ran.err.contains(verb.amends),
          "\(verb.words): \(ran)")
        #expect(try await admin.does("events", "--type", verb.type, "-q") != "", "\(verb.words)")
      }
    }

    @Test func `A file takes the secret, whether it is new or added to`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      defer { withExtendedLifetime(hosted) {} }
      let admin = try hosted.admin()
      for shell in [#"exec "$@" > "$HOME/file""#, #"exec "$@" >> "$HOME/file""#] {
        let ran = try await wharf(admin, shell, ["node", "join-token", "-q"])
        #expect(ran.code == 0, "\(ran)")
      }
      let text = try Programs.text(.init(filePath: "\(admin.folder)/file"))
      let facts = try FileManager.default.attributesOfItem(atPath: "\(admin.folder)/file")
      #expect(facts[.posixPermissions] as? Int == 0o600)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 3 && lines[0] != lines[1] && lines[2].isEmpty, "\(text)")
    }

    @Test func `An answer with nowhere to go is an error, and no descriptor takes its number`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      defer { withExtendedLifetime(hosted) {} }
      let admin = try hosted.admin()
      for (shell, why) in [
        (#"exec "$@" > /dev/full"#, "No space left"), (#"exec "$@" >&-"#, "Bad file descriptor"),
        (#"exec "$@" <&- >&-"#, "Bad file descriptor"),
      ] {
        let list = try await wharf(admin, shell, ["engine", "list"])
        #expect(list.code == 1 && list.err.contains(why), "\(shell): \(list)")
      }
      let silent = try await wharf(admin, #"exec "$@" 2>&- <&-"#, ["engine", "list", "-q"])
      #expect(silent.code == 0 && silent.out.contains("sim"), "\(silent)")
    }
  }
}
