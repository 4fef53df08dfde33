// What a list says of a replica beside which something of before still stops.

import Testing
import Wire

@testable import CLI

struct StoppingWordsTests {
  private func why(_ count: Int) throws -> String {
    let stopping = (1...count).map { number in
      #"{"attempt":"31.1.\#(40 + number)","replica":"grok-1","phase":"stopping","node":"node-\#(number)","devices":[],"#
        + #""waits":"cannot be proved to have ended while node-\#(number) is lost"}"#
    }
    let item =
      #"{"id":"31.1","name":"grok-1","deployment":"grok","phase":"ready","devices":[],"failures":0,"#
      + #""stopping":[\#(stopping.joined(separator: ","))]}"#
    let reply = try Client.decode(
      ItemsReply<ReplicaItem>.self, Array(#"{"position":1,"items":[\#(item)]}"#.utf8))
    return ReplicaNoun.why(reply.items[0])
  }

  @Test func `what of before still stops is told in a sentence, of one and of several`() throws {
    #expect(
      try why(1)
        == "one of before is stopping on node-1: it cannot be proved to have ended while node-1 is lost"
    )
    #expect(
      try why(3)
        == "3 of before are stopping, the first on node-1: it cannot be proved to have ended while "
        + "node-1 is lost")
  }
}
