// Becoming a node: once, with a one-time token. The credential is made here and is on disk before
// anyone is told of it, and a retry sends the very same command, so whatever is lost on the way a
// join happens once.

import AsyncHTTPClient
import Hosting
import Logging
import Machine
import Time
import Wire

package struct Joining: Sendable {
  package var folder: DataFolder
  package var client: HTTPClient
  package var servers: [String]
  package var name: Name
  package var clocks: Clocks
  package var log: Logger

  package init(
    folder: DataFolder, client: HTTPClient, servers: [String], name: Name,
    clocks: Clocks = .system, log: Logger
  ) {
    self.folder = folder
    self.client = client
    self.servers = servers
    self.name = name
    self.clocks = clocks
    self.log = log
  }

  /// Who this agent is; joins first if need be, for as long as trying may help.
  ///
  /// - Parameter token: asked for only when it is needed.
  package func membership(
    facts: NodeFacts, token: () throws -> String
  ) async throws -> DataFolder.Membership {
    if let known = try folder.membership() { return known }
    let credential = try folder.credential(clocks.random)
    let request = try pending(credential, facts)
    let link = ControlLink(
      client: client, servers: servers, bearer: try token(), isCredential: false,
      clocks: clocks)
    var backoff = Backoff.asking
    var random = clocks.random
    while true {
      do {
        let reply = try await link.join(request)
        let membership = DataFolder.Membership(node: reply.node, name: name)
        try folder.keep(membership)
        try folder.keep(DataFolder.Seen(head: reply.head, bootID: "", leaseUntil: nil))
        folder.endJoin()
        log.info("joined", metadata: ["node": "\(reply.node)", "name": "\(name)"])
        return membership
      } catch let problem as ControlLink.Problem where problem.mayPass {
        log.warning("cannot join yet: \(problem)")
        try await clocks.sleep(for: .milliseconds(backoff.pauseMilliseconds(using: &random)))
      } catch let problem as ControlLink.Problem {
        // Refused for what it says: the next try may say something else.
        if problem.kind != .unauthorized { folder.endJoin() }
        throw Refused(problem, name)
      }
    }
  }

  private func pending(_ credential: Credential, _ facts: NodeFacts) throws -> JoinRequest {
    if let pending = folder.pendingJoin(), pending.name == name,
      pending.credential == credential.digest
    {
      return pending
    }
    let request = JoinRequest(
      commandID: clocks.makeCommandID(), name: name,
      credential: credential.digest, facts: facts)
    try folder.keep(request)
    return request
  }

  package struct Refused: Error, CustomStringConvertible {
    package let description: String

    init(_ problem: ControlLink.Problem, _ name: Name) {
      switch problem.kind {
      case .unauthorized:
        description =
          "cannot join as \(name): the join token is not known or was used already. "
          + "Make a new one with: wharf node join-token"
      case .refused, .unreachable, .late, .malformed, .unproved, .removed:
        description = "cannot join as \(name): \(problem)"
      }
    }
  }
}
