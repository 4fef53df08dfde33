// What cannot be: said clearly, before anything is started.

import Foundation
import Glibc
import TestKit
import Testing

@testable import Up

@Suite(.turn, .bounded) struct RefusalTests {
  @Test func `a port in use is named with who has it, before anything is started`() async throws {
    let system = try TestSystem()
    let socket = Glibc.socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(socket) }
    #expect(TestSystem.listen(socket, on: system.apiPort).bound)
    for detach in [[], ["--detach"]] {
      let ran = try await system.finish(system.start(system.small + detach))
      #expect(ran.status == .code(1))
      #expect(ran.errors.contains("127.0.0.1:\(system.apiPort)"))
      #expect(ran.errors.contains("in use by"))
      #expect(ran.errors.contains("(pid \(getpid()))"))
      #expect(ran.errors.contains("--api-port PORT"))
    }
    #expect(!FileManager.default.fileExists(atPath: system.data))
    #expect(system.processes() == [])
  }

  @Test(.enabled(if: geteuid() == 0, "needs root"))
  func `below a folder that PostgreSQL's user cannot enter, that folder is named`() async throws {
    let system = try TestSystem()
    let closed = system.folder.path("closed")
    #expect(mkdir(closed, 0o700) == 0)
    let ran = try await system.wharf(
      "up", "--data", "\(closed)/data", "--api-port", "\(system.apiPort)", "--nodes", "0",
      "--no-gateway", "--detach")
    #expect(ran.status == .code(1))
    #expect(ran.errors.contains("user 'postgres', who cannot enter \(closed)\n"), "\(ran)")
    #expect(ran.errors.contains("chmod a+x \(closed)"))
    #expect(!FileManager.default.fileExists(atPath: "\(closed)/data"))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root, to become another user"))
  func `a folder that may not be written is named`() async throws {
    let system = try TestSystem(become: ["setpriv", "--reuid=65534", "--clear-groups", "--"])
    let ran = try await system.finish(system.start(system.small + ["--detach"]))
    #expect(ran.status == .code(1))
    #expect(
      ran.errors.contains("cannot make the folder \(system.data): Permission denied"), "\(ran)")
    #expect(ran.errors.contains("--data DIR"))
    // One that is there, and another's.
    #expect(mkdir(system.data, 0o755) == 0)
    let other = try await system.finish(system.start(system.small + ["--detach"]))
    #expect(other.status == .code(1))
    #expect(other.errors.contains("it belongs to user root"), "\(other)")
  }

  @Test func `missing programs of PostgreSQL are said to be missing`() async throws {
    let system = try TestSystem()
    let ran = try await system.finish(
      system.start(system.small + ["--detach", "--postgres", system.folder.path("none")]))
    #expect(ran.status == .code(1))
    #expect(
      ran.errors.contains(
        "there are no programs postgres and initdb in \(system.folder.path("none"))"))
    #expect(ran.errors.contains("apt install postgresql"))
  }

  @Test func `missing programs of ours are said to be missing`() async throws {
    let system = try TestSystem()
    let lonely = system.folder.path("wharf")
    // By another program: a file that we wrote ourselves could be held open, for writing, by a
    // process that another test starts meanwhile.
    #expect(
      ShortCommand.run(["cp", builtProgram("wharf"), lonely], environment: Environment.own)?.code
        == 0)
    let child = try system.start(system.whole, program: lonely)
    let ran = try await system.finish(child)
    #expect(ran.status == .code(1))
    #expect(
      ran.errors.contains("cannot find wharfd, wharf-gateway, wharf-agent, wharf-holder beside"))
  }

  @Test(arguments: [
    (["--api-port", "0"], "--api-port must be from 1 to 65535"),
    (["--api-port", "8000", "--gateway-port", "8000"], "they must differ"),
    (["--nodes", "2"], "--devices auto gives this machine's devices to one node"),
    (["--devices", "many"], "'many' names no devices"),
    (["--engine-ports", "9"], "--engine-ports must be like"),
    (["--nodes", "1001", "--devices", "none"], "--nodes must be from 0 to 1000"),
  ])
  func `nonsense is refused with exit code 2, and nothing is made`(
    _ flags: [String], _ reason: String
  ) async throws {
    let system = try TestSystem()
    let ran = try await system.finish(system.start(["up", "--data", system.data] + flags))
    #expect(ran.status == .code(2))
    #expect(ran.errors.contains(reason), "\(ran)")
    #expect(!FileManager.default.fileExists(atPath: system.data))
  }

  @Test(arguments: ["up", "down"])
  func `an empty name of a data folder is refused with exit code 2`(verb: String) async throws {
    let system = try TestSystem()
    // With a port that there is not, so that a system of this very folder is never made.
    let ports = verb == "up" ? ["--api-port", "70000"] : []
    let ran = try await system.finish(system.start([verb, "--data", ""] + ports))
    #expect(ran.status == .code(2), "\(ran)")
    #expect(ran.errors.contains("--data needs the name of a folder"), "\(ran)")
  }

  @Test func `down where there is nothing says so`() async throws {
    let system = try TestSystem()
    let ran = try await system.wharf("down", "--data", system.data)
    #expect(ran.status == .code(0))
    #expect(ran.output.contains("Nothing runs: there is no system in \(system.data)"))
  }
}
