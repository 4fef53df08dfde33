// Who stands between an agent and its control plane stops no engine: not by taking tokens away, not by
// answering in its place, not by rewriting what it says. Only the log's own word does.

import Glibc
import Hosting
import Machine
import TestTools
import Testing
import Wire

@testable import Agent

@Suite(.serialized, .bounded) struct `Between an agent and its control plane` {
  /// More answers than any one of them takes for a change of mind.
  private static let answers = 4

  @Test(arguments: Meddler.Way.allCases)
  func `a proxy that meddles stops nothing, and is told of`(way: Meddler.Way) async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await Meddler.use(before: server) { meddler, place in
          try await LocalAgent.use(space, place) { agent in
            await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
            let ready = try await server.standIn.see(.ready, of: "31.1.40")
            let credential = try agent.folder.credential().secret

            meddler.meddle(way)
            // News, again and again: a question that was asked before is still answered honestly.
            try await eventually("it heard the meddler, and says so") {
              await server.standIn.nextGeneration()
              let told = await agent.agent.observation().troubles
              return meddler.meddled >= Self.answers && agent.folder.status()?.refusal != nil
                && told == [.answersDisturbed]
            }
            let seen = await agent.agent.observation()
            #expect(seen.attempts.map(\.phase) == [.ready])
            #expect(seen.attempts.first?.pid == ready.pid)
            #expect(ProcessIdentity(running: Int32(ready.pid ?? 0)) != nil)
            #expect(try agent.folder.credential().secret == credential)
            #expect(try agent.folder.membership() != nil)

            meddler.meddle(nil)
            await server.standIn.nextGeneration()
            try await eventually("it hears its control plane again") {
              await agent.agent.observation().troubles == []
                && agent.folder.status()?.refusal == nil
            }
            try await server.standIn.clear(1_000_000)
          }
        }
      }
    }
  }

  /// Words of a removal that do not fit: of another node, from before this one joined, of a log that is
  /// not the one seen.
  @Test func `the word that the node was removed counts only where it fits`() {
    let node = Stream(.node, 5)
    func says(_ node: Stream, _ position: Position, _ head: HeadWitness) -> NodeRemovedReply {
      NodeRemovedReply(node: node, position: position, head: head)
    }
    func believes(_ removal: NodeRemovedReply, _ echo: SeenEcho? = nil) -> Bool {
      var steering = Steering(head: head(40))
      return steering.believes(removal, of: node, echo)
    }
    #expect(!believes(says(Stream(.node, 6), 41, head(41))))
    #expect(!believes(says(node, 4, head(41))), "before it joined")
    #expect(!believes(says(node, 42, head(41))), "past the end of the log")
    #expect(!believes(says(node, 30, head(39))), "of one that lags behind")
    #expect(!believes(says(node, 40, head(40, hash: 9))), "of another log")
    #expect(!believes(says(node, 41, head(41)), SeenEcho(position: 40, hash: digest(8))))
    #expect(!believes(says(node, 61, head(75, era: 31))), "of an era that lost what was seen")
    #expect(believes(says(node, 41, head(41))))
  }

  @Test func `an answer is proved for one question, one status and one body`() {
    func proof(
      _ status: Int = 200, _ head: String = "1/2/3", _ body: String = "{}", _ nonce: String = "n",
      _ credential: Digest = digest(1)
    ) -> Digest {
      AnswerProof.of(
        status: status, head: head, body: Array(body.utf8), nonce: nonce, credential: credential)
    }
    let others = [
      proof(204), proof(200, "1/2/4"), proof(200, "1/2/3", "{ }"), proof(200, "1/2/3", "{}", "m"),
      proof(200, "1/2/3", "{}", "n", digest(2)),
    ]
    #expect(proof() == proof())
    #expect(!others.contains(proof()) && Set(others).count == others.count)
  }
}
