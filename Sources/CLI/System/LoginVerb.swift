// `wharf login`: makes a token here, or takes one, and keeps it for later commands.

import ArgumentParser
import Glibc
import Hosting
import Program
import Time
import Wire

struct LoginVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "login", "Keep a token for an API.",
    example: "wharf login --api https://wharf.example.com --invitation CODE",
    more: """
      With --invitation a token is made here, and only its digest is sent. With --token - it is \
      read from stdin. The token is kept in ~/.config/wharf/credentials.json, readable by you alone.
      """)

  /// A longer line is no token.
  private static let longestLine = Secret.longest

  @Option(help: ArgumentHelp("What 'wharf person invite' printed.", valueName: "code"))
  var invitation: String?

  @Option(help: "What the token is called that --invitation makes.", transform: Parse.name)
  var name: Name?

  @Option(
    help: ArgumentHelp(
      "How long that token is good: 90d or 12h; "
        + "\(Lengths.bounds(.hours, in: 1...IssueToken.longestValidHours)). Without, until it is revoked.",
      valueName: "time"),
    transform: Lengths.whole(.hours, in: 1...IssueToken.longestValidHours))
  var expires: Span?

  @Flag(help: "Forget the head last seen of this API: a new log was begun there on purpose.")
  var forget = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if invitation != nil, connection.token != nil {
      throw ValidationError("--invitation makes a token, and --token brings one: choose one")
    }
    if invitation == nil, name != nil || expires != nil {
      throw ValidationError("--name and --expires are of a token that --invitation makes")
    }
    if invitation == nil, connection.token == nil, !forget {
      throw ValidationError("give --invitation CODE, or --token - to read a token from stdin")
    }
  }

  func run() async throws {
    let around = Surroundings.process
    let api = try connection.connection(around).api
    if forget {
      var memory = HeadMemory.load(around)
      memory.forget(api)
      memory.save(around)
    }
    if let invitation {
      try await accept(invitation, api, around)
    } else if let given = connection.token {
      try await keep(given == "-" ? Self.line() : given, api, around)
    } else {
      Terminal.say("forgot the head last seen of \(api)")
    }
  }

  private func accept(_ invitation: String, _ api: String, _ around: Surroundings) async throws {
    var random = clocks.random
    let token = Secret(.person, using: &random)
    // Kept before it is sent: were the answer lost, the token would be all that is left.
    var credentials = try Credentials.load(around)
    credentials.keep(token.text, for: api)
    let client = Client(Connection(api: api, token: invitation), around)
    let call = CommandCall(
      id: clocks.makeCommandID(),
      try AcceptInvitation(
        token: token.digest, prefix: token.shownPrefix, name: name,
        validHours: expires?.whole(.hours)))
    let before = try Credentials.load(around)
    try credentials.save(around)
    do {
      _ = try await client.send(call)
    } catch let failure as Failure where failure.kind != .timedOut {
      // An answer that was lost on the way leaves a spent invitation, and a token that is good.
      if failure.code == "unknownToken", try await isGood(token, api, around) {
        return try await greet(Client(Connection(api: api, token: token.text), around))
      }
      try before.save(around)
      throw failure.code == "unknownToken" ? Self.unknownInvitation(api) : failure
    }
    try await greet(Client(Connection(api: api, token: token.text), around))
  }

  private func isGood(_ token: Secret, _ api: String, _ around: Surroundings) async throws -> Bool {
    do {
      _ = try await Client(Connection(api: api, token: token.text), around).get("whoami")
      return true
    } catch let failure as Failure where failure.code == "unknownToken" {
      return false
    }
  }

  private static func unknownInvitation(_ api: String) -> Failure {
    Failure(
      .refused,
      "cannot accept the invitation: it is not known at \(api), was accepted before, or is past its time",
      help: "take the code that was printed whole, or ask for another: wharf person invite")
  }

  private func keep(_ token: String, _ api: String, _ around: Surroundings) async throws {
    let client = Client(Connection(api: api, token: token), around)
    _ = try await client.read(ItemReply<WhoamiItem>.self, "whoami")
    var credentials = try Credentials.load(around)
    credentials.keep(token, for: api)
    try credentials.save(around)
    try await greet(client)
  }

  private func greet(_ client: Client) async throws {
    let body = try await client.get("whoami")
    if let structured = try output.structured(body) { return Terminal.say(structured) }
    let you = try Client.decode(ItemReply<WhoamiItem>.self, body).item
    Terminal.say(
      output.quiet
        ? you.id : "logged in to \(client.connection.api) as \(you.name) (\(you.role.rawValue))")
  }

  private static func line() throws -> String {
    guard let line = readLine(), !line.isEmpty, line.count <= longestLine else {
      throw Failure(.usage, "there is no token on stdin", help: "wharf login --token - < FILE")
    }
    return line.trimmingCharacters { $0.isWhitespace }
  }
}
