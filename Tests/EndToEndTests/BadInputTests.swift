// What people get wrong at wharfd's door: each a clear error that names what was attempted and what
// would help, the right code, and nothing half done.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import Postgres
import TestKit
import Testing
import Wire

@Suite(.serialized, .turn, .bounded) struct BadInputTests {
  /// Runs `wharfd run`, which is to end by itself.
  private func run(_ url: String, port: Int, in folder: TestFolder) async throws -> Ran {
    let child = try Child(
      [
        builtProgram("wharfd"), "run", "--listen", "127.0.0.1:\(port)", "--secret-file",
        folder.path("secret"), "--admin-token-file", folder.path("admin.token"),
      ], environment: folder.environment(["WHARF_DATABASE_URL": url]), folder: folder)
    let status = try await child.waitForExit()
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  @Test(.database) func `a database newer than the program is refused, and left as it is`()
    async throws
  {
    let database = TestDatabase.current
    let folder = try TestFolder()
    let migrated = try Child(
      [builtProgram("wharfd"), "migrate"],
      environment: folder.environment(["WHARF_DATABASE_URL": database.url]), folder: folder)
    #expect(try await migrated.waitForExit() == .code(0), "\(migrated.errors)")
    do {
      var connection = try database.connect()
      try connection.script(
        "INSERT INTO log.migrations SELECT (json_populate_record(m, '{\"number\": 9000}')).* FROM log.migrations m LIMIT 1"
      )
    }
    let dump = { try shell("pg_dump -d '\(database.url)' | grep -v '^.\\(un\\)\\?restrict '") }
    let before = try dump()
    let ran = try await run(database.url, port: 1, in: folder)
    #expect(try dump() == before)
    #expect(ran.status == .code(1))
    #expect(ran.errors.contains("9000") && ran.errors.contains("newer"), "\(ran)")
  }

  @Test func `a port in use and a database address that is none end wharfd with the reason`()
    async throws
  {
    let wharfds = try await Wharfds()
    let folder = wharfds.folder
    let port = try #require(URL(string: wharfds.url(0))?.port)
    let taken = try await run(wharfds.database.url, port: port, in: folder)
    #expect(taken.status == .code(1))
    #expect(
      taken.errors.contains("cannot listen on 127.0.0.1:\(port): Address already in use"),
      "\(taken)")
    let nonsense = try await run("nonsense://", port: 1, in: folder)
    #expect(nonsense.status != .code(0))
    #expect(nonsense.errors.contains("expected postgres://"), "\(nonsense)")
    await wharfds.remove()
  }

  @Test func `started before its database, wharfd says what it waits for, and goes on by itself`()
    async throws
  {
    let wharfds = try await Wharfds()
    try await wharfds.kill9(0)
    await wharfds.cluster.killPostmaster()
    try wharfds.start(0)
    try await eventually("it says what it waits for") {
      wharfds.said().contains("waiting for the database")
    }
    try await wharfds.cluster.start()
    try await wharfds.ready(0)
    await wharfds.remove()
  }

  @Test func `a start whose migration may or may not have been stored is made again`() async throws
  {
    let wharfds = try await Wharfds(proxied: true)
    let proxy = try #require(wharfds.proxy)
    try await wharfds.kill9(0)
    // Not BEGIN ISOLATION LEVEL READ COMMITTED.
    proxy.loseAnswer(toRequestWith: "COMMIT\0")
    try wharfds.start(0)
    try await eventually("it says that it does not know") {
      wharfds.said().contains("COMMIT: the outcome is unknown")
    }
    try await wharfds.ready(0)
    await wharfds.remove()
  }

  private func post(
    _ wharfds: Wharfds, _ body: [UInt8], token: String?
  ) async throws -> (status: Int, body: String) {
    var request = HTTPClientRequest(url: wharfds.url(0) + "/v1/commands")
    request.method = .POST
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(body)
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let text = try await response.body.collect(upTo: 1 << 20)
    return (Int(response.status.code), String(buffer: text))
  }

  @Test func `what is wrong with a command is named, and nothing is recorded`() async throws {
    let wharfds = try await Wharfds()
    let token = try wharfds.token()
    let head = try wharfds.head()
    let id = "01970000-0000-7000-8000-000000000009"
    func call(_ command: String, _ arguments: String) -> [UInt8] {
      Array(#"{"id":"\#(id)","command":"\#(command)","arguments":\#(arguments)}"#.utf8)
    }
    let long = String(repeating: "x", count: 2_000)
    for (body, status, reason) in [
      (Array("{".utf8), 400, "JSON"),
      (call("provider.invent", "{}"), 400, "there is no command 'provider.invent'"),
      (call("provider.register", "{}"), 400, "arguments.name"),
      (call("provider.register", #"{"name":7}"#), 400, "arguments.name"),
      (call("provider.register", #"{"name":""}"#), 400, "arguments.name"),
      (call("provider.register", #"{"name":"\#(long)"}"#), 400, "arguments.name"),
      (call("provider.register", #"{"name":"xai","colour":"red"}"#), 400, "colour"),
      (call("provider.suspend", #"{"provider":"nobody"}"#), 404, "nobody"),
      (Array(repeating: 0x20, count: CommandCall.bodyLimitBytes + 1), 413, "longer than"),
    ] as [([UInt8], Int, String)] {
      let reply = try await post(wharfds, body, token: token)
      #expect(reply.status == status, "\(reason): \(reply)")
      #expect(reply.body.contains(reason), "\(reason): \(reply)")
      #expect(!reply.body.contains(long), "what was sent is not sent back at length")
    }
    for wrong in [nil, "wharf-person-nonsense", ""] {
      let reply = try await post(
        wharfds, call("provider.register", #"{"name":"xai"}"#), token: wrong)
      #expect(reply.status == 401 && reply.body.contains("wharf login"), "\(reply)")
    }
    #expect(try wharfds.head() == head)

    // The database goes away: reads serve on, writes fail loudly and in bounded time; then it is back.
    await wharfds.cluster.killPostmaster()
    let away = try await post(wharfds, call("provider.register", #"{"name":"xai"}"#), token: token)
    #expect((500...599).contains(away.status) && away.body.contains("error"), "\(away)")
    try await wharfds.cluster.start()
    try await eventually("the same command is taken") {
      try await post(wharfds, call("provider.register", #"{"name":"xai"}"#), token: token).status
        == 200
    }
    #expect(try wharfds.head() > head)
    await wharfds.remove()
  }
}
