// Making the gateway and the nodes known to the control plane. Each secret is on disk before its
// digest is sent, and the command's id is derived from the digest: killed at any moment, the next
// start sends the very same command.

import Crypto
import Glibc
import Hosting
import Machine
import Time
import Wire

struct Enrolment: Sendable {
  static let gatewayName = "gateway"
  private static let tokenValidHours = 24 * 7
  /// An unused token is replaced in time before it is good no more.
  private static let tokenFreshSeconds = 24 * 3_600 * 6

  let layout: Layout
  let client: ControlClient

  func registerGateway() async throws {
    let credential = try SecretFiles.readOrMake(layout.gatewayCredential, .gateway)
    // Once known it need not be asked for again, by whatever token.
    if Files.text(layout.gatewayKnown) == credential.prefixed { return }
    let name = try Name(Self.gatewayName)
    try await send(
      RegisterGateway(name: name, credential: credential.digest), about: credential)
    try Files.replace(layout.gatewayKnown, Array(credential.prefixed.utf8))
  }

  /// A token for each node that has not joined yet.
  func issueJoinTokens(_ nodes: [String]) async throws {
    for node in nodes where !Self.hasJoined(layout, node) {
      let file = layout.joinToken(node)
      var facts = stat()
      let now = Int(clocks.date.microseconds / 1_000_000)
      if stat(file, &facts) == 0, now - facts.st_mtim.tv_sec > Self.tokenFreshSeconds {
        unlink(file)
      }
      let token = try SecretFiles.readOrMake(file, .join)
      try await send(
        IssueJoinToken(token: token.digest, validHours: Self.tokenValidHours), about: token)
    }
  }

  /// An agent writes this once the control plane took it in.
  static func hasJoined(_ layout: Layout, _ node: String) -> Bool {
    Files.exists("\(layout.agent(node))/node.json")
  }

  /// An agent that found its node removed leaves this, until it joins again.
  static func wasRemoved(_ layout: Layout, _ node: String) -> Bool {
    !hasJoined(layout, node) && Files.exists("\(layout.agent(node))/removed")
  }

  static let howToBringBack =
    "wharf down and wharf up bring it back as a new node; wharf up --nodes N asks for fewer"

  /// Whether this very agent was answered: one whose node was removed meanwhile is not.
  static func isServing(_ layout: Layout, _ node: String, _ process: RunningProcess) -> Bool {
    guard hasJoined(layout, node), let bytes = Files.content(of: "\(layout.agent(node))/seen.json"),
      let value = try? JSONValue(document: bytes),
      let seen = try? JSONDecoding.read(SeenByAgent.self, from: value, strict: false)
    else { return false }
    return seen.bootID == process.record.bootID && seen.pid == Int(process.record.pid)
  }

  /// What an agent writes down whenever it is answered, as far as it matters here.
  private struct SeenByAgent: JSONRecord {
    let bootID: String
    let pid: Int?
  }

  /// They open nothing any more.
  static func forgetSpentTokens(_ layout: Layout, _ nodes: [String]) {
    for node in nodes where hasJoined(layout, node) { unlink(layout.joinToken(node)) }
  }

  private func send(_ command: some Hosting.Command, about secret: Secret) async throws {
    guard let admin = try SecretFiles.read(layout.adminToken) else {
      throw UpFailure(
        "cannot make \(type(of: command).type) known: there is no admin token in "
          + "\(layout.adminToken)",
        help: "put the token of an admin into that file, mode 0600")
    }
    let id = CommandID(
      derivedFrom: Secret(text: "wharf up \(type(of: command).type) \(secret.digest)").digest)
    _ = try await client.send(
      CommandCall(id: id, command, reason: try Text("wharf up")), token: admin)
  }
}

extension Secret {
  /// What may stand in a file that says which secret is meant.
  fileprivate var prefixed: String { digest.description }
}
