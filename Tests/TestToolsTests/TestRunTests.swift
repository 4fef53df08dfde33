// What `Deploy/test` makes of targets that fail: the script itself, with programs in place of Swift that do as a
// test says.

import Foundation
import TestTools
import Testing

@Suite struct TestRunTests {
  /// In place of `swift`: the tests of the targets in `FAILING` fail.
  private static let swift = """
    #!/usr/bin/env bash
    [ "$1" = test ] || exit 0
    target=$(sed -E 's/.*--filter \\^([A-Za-z]+)Tests.*/\\1/' <<<"$*")
    report=$(sed -E 's/.*--xunit-output ([^ ]+).*/\\1/' <<<"$*")
    echo "$target" >>"$RAN"
    if grep -qw "$target" <<<"$FAILING"; then
      printf '<testcase classname="%sTests.SomeTests" name="it holds()">\\n<failure/>\\n</testcase>\\n' "$target" \\
        >"${report%.xml}-swift-testing.xml"
      echo '✘ Test "it holds" failed after 0.1 seconds with 1 issue.'
      exit 1
    fi
    echo '✔ Test "it holds" passed after 0.1 seconds.'
    """

  private static let targets = ["Hosting", "Agent", "Gateway", "Added"]

  private func run(failing: [String]) throws -> (
    ran: [String], status: TestTools.ExitStatus, said: String
  ) {
    let folder = try TestFolder()
    func put(_ path: String, _ text: String) throws {
      let file = URL(filePath: folder.path(path))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
    let deploy = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Deploy")
    try put(
      "Deploy/test", String(contentsOf: deploy.appending(path: "test"), encoding: .utf8))
    try put("Deploy/install", "#!/bin/sh\n")
    try put("bin/swift", Self.swift)
    for target in Self.targets { try put("Tests/\(target)Tests/x", "") }
    let child = try Child(
      [folder.path("Deploy/test")],
      environment: [
        "PATH": folder.path("bin") + ":/usr/bin:/bin", "RAN": folder.path("ran"),
        "FAILING": failing.joined(separator: " "),
      ], folder: folder)
    let status = try child.blockUntilExit()
    let ran = folder.text("ran") ?? ""
    return (ran.split(separator: "\n").map(String.init), status, child.output)
  }

  @Test func `a target that fails ends no other, and is named at the end`() throws {
    let (ran, status, said) = try run(failing: ["Hosting", "Added"])
    #expect(Set(ran).isSuperset(of: Self.targets), "\(said)")
    #expect(status == .code(1))
    let end = said.suffix(1_000)
    #expect(end.contains("\n  ./Deploy/test --filter '^HostingTests.SomeTests.it holds"), "\(said)")
    #expect(end.contains("\n  ./Deploy/test --filter '^AddedTests.SomeTests.it holds"), "\(said)")
    #expect(!end.contains("--filter '^GatewayTests"))
    #expect(end.contains("\n\(ran.count - 2) passed, 2 failed\n"), "\(said)")
  }

  @Test func `where none fails nothing is named`() throws {
    let (ran, status, said) = try run(failing: [])
    #expect(status == .code(0) && said.hasSuffix("\n\(ran.count) passed, 0 failed\n"), "\(said)")
    #expect(!said.contains("What failed"))
  }
}
