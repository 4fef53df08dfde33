// Verbs that change something: one command each, sent once however often it takes.

import ArgumentParser
import Glibc
import Hosting
import Time
import Wire

struct SendOptions: ParsableArguments {
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Decide only: say what would be recorded, and change nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp("Why, for the record.", valueName: "text"), transform: Parse.text)
  var reason: Text?

  @Option(
    help: ArgumentHelp("A UUID; the same one again is the same command.", valueName: "uuid"),
    transform: Parse.commandID)
  var commandID: CommandID?

  @Option(
    help: ArgumentHelp("Refuse if what it changes was changed since.", valueName: "position"),
    transform: Parse.position)
  var unchangedSince: Position?

  func send(_ command: any Command, by client: Client) async throws -> CommandReply {
    try await client.send(
      CommandCall(
        id: commandID ?? clocks.makeCommandID(), command, reason: reason,
        unchangedSince: unchangedSince,
        dryRun: dryRun))
  }
}

/// What a command led to, as it is told.
struct Outcome {
  let reply: CommandReply

  /// It was in order, and there was nothing to change.
  var isUnchanged: Bool { reply.events.allSatisfy { $0.type == CommandNoted.type } }

  /// The stream of what it made or changed.
  var subject: Stream? { reply.events.first?.stream }

  /// `done` in the past tense: "registered provider xai".
  func text(_ done: String, secret: Secret? = nil, _ output: OutputOptions) throws -> String {
    let isDry = reply.dryRun == true
    if output.quiet {
      return isDry || isUnchanged ? "" : secret?.text ?? subject?.description ?? ""
    }
    if let structured = try output.structured(Self.body(reply, isDry ? nil : secret)) {
      return structured
    }
    if isDry {
      let events = reply.events.map { "  \($0.stream)  \($0.type)  \(EventText.summary($0.data))" }
      return events.isEmpty
        ? "would change nothing" : (["would record:"] + events).joined(separator: "\n")
    }
    if isUnchanged { return "unchanged: nothing to do, it is so already" }
    let line = "\(done) (\(subject?.description ?? "log"), position \(reply.position))"
    guard let secret else { return line }
    return "\(line)\n\(secret.text)\nIt is shown this once: keep it now."
  }

  private struct Told: JSONRecord {
    var position: Position
    var dryRun: Bool?
    var secret: String?
    var items: [EventItem]
  }

  private static func body(_ reply: CommandReply, _ secret: Secret?) -> [UInt8] {
    Told(
      position: reply.position, dryRun: reply.dryRun, secret: secret?.text, items: reply.events
    ).jsonBytes
  }
}

/// A verb that sends one command.
protocol CommandVerb: AsyncParsableCommand {
  var sending: SendOptions { get }
  func command() throws -> any Command
  /// What was done, in the past tense: "registered provider xai".
  var done: String { get }
}

extension CommandVerb {
  func run() async throws {
    let client = try Client(sending.connection.connection())
    try await say(client)
  }

  /// Sends the command and tells what came of it.
  @discardableResult
  func say(_ client: Client, secret: Secret? = nil) async throws -> CommandReply {
    let reply = try await sending.send(command(), by: client)
    let text = try Outcome(reply: reply).text(done, secret: secret, sending.output)
    if !text.isEmpty { Terminal.say(text) }
    return reply
  }
}

/// A verb that makes a secret here, and sends only what it is known by.
protocol SecretVerb: AsyncParsableCommand {
  var sending: SendOptions { get }
  static var use: Secret.Use { get }
  func command(_ secret: Secret) throws -> any Command
  var done: String { get }
  /// The same, where what was recorded says more.
  func done(_ reply: CommandReply) -> String
  /// What mends it when nobody got the secret: a command, or a sentence with one.
  func amends(_ made: Stream?) -> String
}

extension SecretVerb {
  func done(_ reply: CommandReply) -> String { done }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    if !sending.dryRun { try SecretPlace.check() }
    var random = clocks.random
    let secret = Secret(Self.use, using: &random)
    let reply = try await sending.send(command(secret), by: client)
    let text = try Outcome(reply: reply).text(done(reply), secret: secret, sending.output)
    guard !text.isEmpty, let problem = Terminal.sayForKeeps(text) else { return }
    if reply.dryRun == true || Outcome(reply: reply).isUnchanged {
      throw Failure(
        .refused, "cannot write the answer to stdout: \(problem)",
        help: "nothing was changed: see to where it is written, and do this again")
    }
    let made = Outcome(reply: reply).subject
    throw Failure(
      .refused,
      "\(done(reply)) (\(made?.description ?? "log"), position \(reply.position)), "
        + "but its secret could not be written to stdout: \(problem)",
      help: "nobody has the secret: \(amends(made))")
  }
}

extension Secret {
  /// The characters by which people tell it apart, as commands carry them.
  var shownPrefix: Text {
    do { return try Text(prefix) } catch { preconditionFailure("a prefix is a text: \(error)") }
  }
}
