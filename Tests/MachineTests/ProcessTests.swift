// Programs that are started, watched and ended, and ports that somebody has.

import Glibc
import TestTools
import Testing

@testable import Machine

@Suite struct ProcessTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func start(
    _ script: String, _ change: (inout ProgramStart) -> Void = { _ in }
  ) throws -> ProcessHandle {
    var start = ProgramStart(
      ["/bin/sh", "-c", script], environment: ["WHARF_WORD": "here"],
      output: .file(folder.path("log")))
    change(&start)
    let pid = try start.run()
    return try #require(ProcessTable.status(of: pid).flatMap { ProcessHandle($0.identity) })
  }

  private func end(of process: ProcessHandle) async throws -> ProcessHandle.Exit {
    try await eventually("it ends") { process.hasEnded ? process.reap() : nil }
  }

  private var log: String { Files.text(folder.path("log")) ?? "" }

  @Test func `a program has the environment that it is given, and its output in a file`()
    async throws
  {
    let process = try start("echo $WHARF_WORD$HOME; echo wrong >&2; exit 3")
    #expect(try await end(of: process) == .code(3))
    #expect(log == "here\nwrong\n")
  }

  @Test func `signals that we ignore or block end it all the same`() async throws {
    signal(SIGUSR1, SIG_IGN)
    defer { signal(SIGUSR1, SIG_DFL) }
    let process = try start("kill -USR1 $$; exit 0")
    #expect(try await end(of: process) == .signal(Int(SIGUSR1)))
  }

  @Test func `a descriptor that is handed on has its number there, and no other is handed on`()
    async throws
  {
    let given = open(folder.path("given"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(given) }
    // As libraries open them: a child would have it.
    let other = fcntl(given, F_DUPFD, 50)
    defer { close(other) }
    let look = "for file in 3 \(other); do [ ! -e /proc/$$/fd/$file ] || echo $file; done"
    let handing = try start("\(look); echo word >&3") { $0.inherited = given }
    #expect(try await end(of: handing) == .code(0))
    #expect(Files.text(folder.path("given")) == "word\n")
    #expect(log == "3\n")
    #expect(try await end(of: try start(look)) == .code(0))
    #expect(log == "3\n", "nothing is open where nothing is handed on")
  }

  @Test func `a session of its own is one, and a bare name is looked for`() async throws {
    let process = try start("") {
      $0.line = ["sleep", "600"]
      $0.isOnPath = true
      $0.hasOwnSession = true
    }
    let pid = process.identity.pid
    #expect(ProcessTable.status(of: pid)?.session == pid)
    #expect(process.signal(SIGKILL))
    #expect(try await end(of: process) == .signal(Int(SIGKILL)))
    #expect(ProcessHandle(process.identity) == nil)
    #expect(!process.signal(SIGKILL))
  }

  @Test func `one that is not there is named in the problem`() {
    let missing = folder.path("none")
    #expect(throws: ProgramStart.Problem(program: missing, code: ENOENT)) {
      _ = try start("") { $0.line = [missing] }
    }
  }

  @Test func `a handle of a process whose number another has now is none`() throws {
    let own = try #require(ProcessIdentity(running: getpid()))
    #expect(ProcessHandle(own) != nil)
    #expect(ProcessHandle(ProcessIdentity(pid: own.pid, startTime: own.startTime + 1)) == nil)
    #expect(ProcessTable.workingFolder(of: getpid()) != nil)
    #expect(OwnProgram.path?.hasPrefix((OwnProgram.folder ?? "none") + "/") == true)
  }

  @Test(arguments: [(0, 0), (3 << 8, 3), (9, 137), (0x8B, 139)] as [(Int32, Int32)])
  func `an end as a shell tells it`(status: Int32, code: Int32) {
    #expect(ProcessHandle.Exit(waitStatus: status).shellCode == code)
  }
}

@Suite struct PortTests {
  @Test func `a port is free until somebody listens on it, who is then named`() throws {
    let port = try Ports.one()
    #expect(Port.isFree(port, at: "127.0.0.1") == true)
    let socket = try StreamSocket.open(.port(UInt16(port))) { bind($0, $1, $2) }
    defer { close(socket) }
    try #require(listen(socket, 1) == 0)
    #expect(Port.obstacle(port, at: "127.0.0.1") == EADDRINUSE)
    #expect(Port.isFree(port, at: "127.0.0.1") == false)
    #expect(Port.holders(of: port) == [getpid()])
  }

  @Test func `of an address that is not this machine's nothing is known`() {
    #expect(Port.isFree(0, at: "192.0.2.1") == nil)
  }
}
