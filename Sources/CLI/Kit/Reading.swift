// Verbs that read: `list` and `show` of every noun, as of now or of an earlier moment, once or
// again with every change.

import ArgumentParser
import Glibc
import Hosting
import Time
import Wire

struct ReadOptions: ParsableArguments {
  /// A busy log is redrawn at most this often.
  static let redrawMilliseconds = 200
  /// What is shown changes also while the log does not: what was used of limits, who was heard when.
  static let refreshSeconds = 5
  /// Between two tries to reach an API that went away.
  static let reconnectSeconds = 1

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Option(
    help: ArgumentHelp("Show the state of then: a position, time or mark.", valueName: "moment"))
  var asOf: String?

  @Flag(help: "Show it again with every change, and every \(refreshSeconds) s, until Ctrl-C.")
  var watch = false

  func validate() throws {
    if watch, asOf != nil {
      throw ValidationError("--watch shows what changes, and --as-of what was: choose one")
    }
    if asOf?.isEmpty == true {
      throw ValidationError("--as-of needs a position, a time or a mark")
    }
  }

  /// Reads a path and shows the reply, rendered unless JSON or YAML is asked for.
  ///
  /// - Parameters:
  ///   - read: how, where one request may not give it all.
  ///   - document: what `-o yaml` prints instead of the reply, if anything.
  func show(
    _ path: String, _ query: [(String, String)] = [],
    read: (Client, String, [(String, String)]) async throws -> [UInt8] = {
      try await $0.get($1, $2)
    },
    document: @escaping ([UInt8]) throws -> [UInt8]? = { _ in nil },
    render: @escaping ([UInt8], Terminal) throws -> String
  ) async throws {
    let client = try Client(connection.connection())
    let terminal = Terminal.current
    let whole = query + (asOf.map { [("asOf", $0)] } ?? [])
    let draw = { (body: [UInt8]) throws -> String in
      if output.output == .yaml, !output.quiet, let document = try document(body) {
        return try Structure.yaml(document)
      }
      return try output.structured(body) ?? render(body, terminal)
    }
    guard watch else {
      let text = try draw(await read(client, path, whole))
      if !text.isEmpty { Terminal.say(text) }
      return
    }
    try await follow(client, terminal) { try draw(await read(client, path, whole)) }
  }

  /// Ends with Ctrl-C, and well: that is how one stops looking.
  static func endWithInterrupt() { signal(SIGINT) { _ in _exit(0) } }

  private func follow(
    _ client: Client, _ terminal: Terminal, _ read: () async throws -> String
  ) async throws {
    Self.endWithInterrupt()
    if terminal.isInteractive { Terminal.say("\u{1B}[2J") }
    let shown = ShownView(terminal)
    while true {
      do {
        shown.show(try await read())
        try await clocks.sleep(for: .milliseconds(Self.redrawMilliseconds))
        if try await client.wait(past: client.seen, upTo: .seconds(Self.refreshSeconds)) {
          shown.heard()
        }
      } catch let failure as Failure where shown.isSomething && failure.kind != .refused {
        shown.silent(since: failure.message)
        try await clocks.sleep(for: .seconds(Self.reconnectSeconds))
      }
    }
  }
}

/// `wharf NOUN show NAME`.
protocol ShowVerb: AsyncParsableCommand {
  associatedtype Things: Noun
  var reading: ReadOptions { get }
  var name: ThingName { get }
  func read(_ client: Client, _ path: String, _ query: [(String, String)]) async throws -> [UInt8]
}

extension ShowVerb {
  func read(_ client: Client, _ path: String, _ query: [(String, String)]) async throws -> [UInt8] {
    try await client.get(path, query)
  }

  func run() async throws {
    try await reading.show(
      "\(Things.path)/\(name.inPath)", read: read,
      document: { Things.document(try Client.decode(ItemReply<Things.Item>.self, $0).item) }
    ) { body, terminal in
      let reply = try Client.decode(ItemReply<Things.Item>.self, body)
      return Things.show(reply.item, reading.output, terminal)
    }
  }
}
