// A system's life from up to down, and what is found when it comes back.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@testable import Up

@Suite(.serialized, .turn, .bounded) struct LifeTests {
  @Test func `up, a second up, down, a second down, and up again with nothing lost`() async throws {
    let system = try TestSystem()
    let said = try await system.up(system.small)
    #expect(said.contains("Wharf is up after"))
    #expect(said.contains("made its files"))
    #expect(said.contains(system.url))
    var facts = stat()
    #expect(stat(system.layout.adminToken, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
    let place = system.folder.path("home/.local/state/wharf/systems/\(system.layout.mark).json")
    let text = try String(contentsOfFile: place, encoding: .utf8)
    #expect(text.contains(#""tokenFile":"\#(system.layout.adminToken)""#))
    #expect(text.contains(#""api":"\#(system.url)""#))

    let pids = system.processes()
    let again = try await system.wharf("up", "--data", system.data, "--detach")
    #expect(again.status == .code(0))
    #expect(again.output.contains("already running"))
    #expect(system.processes() == pids)
    let other = try await system.wharf(
      "up", "--data", system.data, "--nodes", "3", "--devices", "none")
    #expect(other.status == .code(1))
    #expect(other.errors.contains("runs already, with other settings"))
    #expect(other.errors.contains("--nodes 3 (it has 0), --devices none (it has auto)"), "\(other)")

    let token = system.token
    let position = try await system.send(RegisterTeam(name: Name("copilot"), audience: .internal))
    // Without --data it is the one that runs.
    let down = try await system.wharf("down")
    #expect(down.status == .code(0), "\(down)")
    #expect(down.output.contains("postgres stopped"))
    #expect(system.processes() == [])
    #expect(system.isFree(system.apiPort))
    #expect(!FileManager.default.fileExists(atPath: place))
    #expect(!FileManager.default.fileExists(atPath: SocketFolder.path(system.layout)))
    let nothing = try await system.wharf("down", "--data", system.data)
    #expect(nothing.status == .code(0))
    #expect(nothing.output.contains("Nothing runs"))

    // Without flags: as it was asked for before.
    try await system.up(["up", "--data", system.data])
    #expect(system.token == token)
    let later = try await system.send(RegisterTeam(name: Name("contoso"), audience: .external))
    #expect(later > position)
    await #expect(throws: UpFailure.self) {
      try await system.send(RegisterTeam(name: Name("copilot"), audience: .external))
    }
    try await system.down()
  }

  @Test func `in the foreground Ctrl-C stops everything, and down takes over`() async throws {
    let system = try TestSystem()
    var foreground = try system.start(system.small)
    try await eventually("it is up", withinSeconds: 180) {
      foreground.output.contains("Wharf is up after")
    }
    foreground.send(SIGINT)
    var ran = try await system.finish(foreground)
    #expect(ran.status == .code(0), "\(ran)")
    #expect(ran.output.contains("Wharf is down"))
    #expect(system.processes() == [])

    foreground = try system.start(system.small)
    try await eventually("it is up", withinSeconds: 60) {
      foreground.output.contains("Wharf is up after")
    }
    let said = try await system.down()
    #expect(said.contains("supervisor stopped"))
    #expect(said.contains("wharfd stopped"))
    ran = try await system.finish(foreground)
    #expect(ran.status == .code(0), "\(ran)")
  }

  @Test func `two systems live side by side`() async throws {
    let (one, two) = (try TestSystem(), try TestSystem())
    try await one.up(one.small)
    try await two.up(two.small)
    #expect(one.token != two.token)
    #expect(SocketFolder.path(one.layout) != SocketFolder.path(two.layout))
    try await one.down()
    #expect(await two.isHealthy())
    #expect(two.isAlive(Part.postgres))
    try await two.down()
  }

  @Test func `of two systems of one user each is found, and one that runs alone needs no name`()
    async throws
  {
    // The second one's programs are started in the first one's home.
    let (one, two) = (try TestSystem(), try TestSystem())
    try await one.up(one.small)
    let second = try await one.finish(one.start(two.small + ["--detach"]))
    #expect(second.status == .code(0), "\(second)")
    #expect(second.output.contains("wharf status --data \(two.data)"), "\(second)")
    for verb in ["status", "down"] {
      let ran = try await one.wharf(verb)
      #expect(ran.status == .code(2), "\(ran)")
      for system in [one, two] { #expect(ran.errors.contains(system.data), "\(ran)") }
      #expect(ran.errors.contains("--data"), "\(ran)")
    }
    let named = try await one.wharf("status", "--data", two.data)
    #expect(named.status == .code(0), "\(named)")
    #expect(try await one.wharf("status", "--api", one.url).status == .code(0))

    #expect(try await one.wharf("down", "--data", two.data).status == .code(0))
    let gone = try await one.wharf("status", "--data", two.data)
    #expect(gone.status == .code(3) && gone.errors.contains("does not run"), "\(gone)")
    #expect(try await one.wharf("status").status == .code(0))
    let bare = try await one.finish(one.start(["status"], isBare: true))
    #expect(bare.status == .code(0), "\(bare)")

    // Whoever lost the record gets it back.
    let places = one.folder.path("home/.local/state/wharf/systems")
    try FileManager.default.removeItem(atPath: places)
    #expect(try await one.wharf("status").status == .code(3))
    #expect(try await one.wharf("up", "--data", one.data, "--detach").status == .code(0))
    #expect(try await one.wharf("status").status == .code(0))
    #expect(try await one.wharf("down").status == .code(0))
    #expect(one.processes() == [])
  }

  @Test(
    .enabled(
      if: geteuid() == 0 && othersMayRunPrograms,
      "needs root, to become another user, and a build folder that others may enter"))
  func `an ordinary user has a system of their own`() async throws {
    let user = try #require(getpwnam("nobody")).pointee
    let system = try TestSystem(
      become: [
        "setpriv", "--reuid=\(user.pw_uid)", "--regid=\(user.pw_gid)", "--clear-groups", "--",
      ], owner: user.pw_uid)
    try await system.up(system.small)
    for pid in system.processes() {
      let attributes = try FileManager.default.attributesOfItem(atPath: "/proc/\(pid)")
      #expect(attributes[.ownerAccountID] as? uid_t == user.pw_uid)
    }
    #expect(SocketFolder.path(system.layout) != system.folder.path("home/runtime"))
    try await system.kill9(system.supervisor())
    try await system.up(system.small)
    try await system.down()
  }
}
