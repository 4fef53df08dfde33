// A file with a secret that others may read or change is refused, by every program that reads one.

import Foundation
import Glibc
import TestKit
import Testing
import Wire

@Suite struct SecretFileTests {
  private let folder = try! TestFolder()

  private func file(_ mode: mode_t, owner: uid_t? = nil, _ text: String = "secret\n") throws
    -> String
  {
    let path = folder.path("secret-\(mode)-\(owner ?? 0)")
    try Data(text.utf8).write(to: URL(filePath: path))
    chmod(path, mode)
    if let owner { try #require(chown(path, owner, owner) == 0) }
    return path
  }

  /// Somebody else than root, as every system has them.
  private static let nobody: uid_t = 65_534

  @Test(arguments: [0o600, 0o400] as [mode_t]) func `a file of one's own that is closed is read`(
    mode: mode_t
  ) throws {
    #expect(try SecretFile.read(file(mode)) == "secret")
  }

  @Test(.enabled(if: geteuid() == 0, "only root has files of root's"))
  func `a file of root's may be open to its group, for reading, also where root reads it`() throws {
    for mode in [0o640, 0o440] as [mode_t] {
      #expect(try SecretFile.read(file(mode)) == "secret")
    }
    for mode in [0o660, 0o644] as [mode_t] {
      let path = try file(mode)
      #expect(throws: SecretFile.Failure.self) { try SecretFile.read(path) }
    }
  }

  @Test(arguments: [0o644, 0o604, 0o602, 0o666, 0o601] as [mode_t])
  func `a file that others may use is refused with what closes it`(mode: mode_t) throws {
    let path = try file(mode)
    let failure = #expect(throws: SecretFile.Failure.self) { try SecretFile.read(path) }
    #expect(failure?.help.contains("chmod 600 \(path)") == true, "\(failure?.description ?? "")")
    // A program that runs with it goes on.
    #expect(try SecretFile.read(path, isInUse: true) == "secret")
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `another user's file is refused`() throws {
    let path = try file(0o600, owner: Self.nobody)
    let failure = #expect(throws: SecretFile.Failure.self) { try SecretFile.read(path) }
    #expect(failure?.help == "sudo chown 0 \(path)")
  }

  @Test func `what is too long is no secret, and what is not there is none`() throws {
    let long = try file(0o600, String(repeating: "x", count: SecretFile.longestBytes + 1))
    #expect(throws: SecretFile.Failure.self) { try SecretFile.read(long) }
    #expect(try SecretFile.read(folder.path("none")) == nil)
  }

  /// Each program that reads a secret, with the arguments that name its file.
  private static let readers: [(program: String, arguments: [String])] = [
    ("wharf-gateway", ["run", "--listen", "127.0.0.1:0", "--credential-file", "EXPOSED"]),
    (
      "wharf-gateway",
      [
        "run", "--listen", "127.0.0.1:0", "--credential-file", "CLOSED", "--metrics-token-file",
        "EXPOSED",
      ]
    ),
    (
      "wharf-agent",
      [
        "run", "--server", "http://127.0.0.1:1", "--data", "FOLDER/agent", "--name", "n",
        "--devices", "none", "--join-token-file", "EXPOSED",
      ]
    ),
    ("wharfd", ["run", "--secret-file", "EXPOSED", "--admin-token-file", "FOLDER/admin"]),
    ("wharfd", ["run", "--secret-file", "CLOSED", "--admin-token-file", "EXPOSED"]),
    ("wharfd", ["finalize", "--secret-file", "EXPOSED"]),
    ("wharf", ["whoami", "--api", "http://127.0.0.1:1"]),
  ]

  @Test(arguments: readers) func `every program refuses a secret that others may read`(
    program: String, arguments: [String]
  ) async throws {
    let exposed = try file(0o644, String(repeating: "5", count: 64))
    let closed = try file(0o600)
    let credentials = folder.path(".config/wharf/credentials.json")
    try FileManager.default.createDirectory(
      atPath: folder.path(".config/wharf"), withIntermediateDirectories: true)
    try Data(#"{"entries":[]}"#.utf8).write(to: URL(filePath: credentials))
    chmod(credentials, 0o644)
    let ran = try await Programs.run(
      program,
      arguments.map {
        $0.replacing("EXPOSED", with: exposed).replacing("CLOSED", with: closed)
          .replacing("FOLDER", with: folder.root)
      },
      environment: [
        "HOME": folder.root, "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": folder.root,
        "WHARF_DATABASE_URL": "postgres://127.0.0.1:1/none?connect_timeout=1",
      ],
      folder: folder.root)
    let path = program == "wharf" ? credentials : exposed
    #expect(ran.code != 0, "\(ran)")
    #expect(
      ran.err.contains("others may read it") && ran.err.contains("chmod 600 \(path)"), "\(ran)")
  }
}
