// What lists, shows, diffs and explanations look like, as whole texts.

import ArgumentParser
import Foundation
import HashTreeCollections
import Hosting
import TestKit
import Testing
import Wire

@testable import CLI

struct RenderTests {
  private static let terminal = Terminal(width: 100, hasColour: false)

  private func output(_ arguments: String...) throws -> OutputOptions {
    try OutputOptions.parse(arguments)
  }

  private func items<Item: Codable & JSONWritable & Sendable>(_ type: Item.Type, _ json: String)
    throws -> [Item]
  {
    try Client.decode(ItemsReply<Item>.self, Array("{\"position\":1,\"items\":[\(json)]}".utf8))
      .items
  }

  private static let team =
    #"{"id":"team/9","name":"copilot","title":"GitHub Copilot","audience":"internal","requestsPerMinute":900,"keys":2,"registeredAt":"2025-05-01","grants":[{"model":"xai/grok-3","workload":"inference","requestsPerMinute":600,"grantedAt":"2025-05-02T10:00:00Z","until":"2026-01-01"}],"endedGrants":[{"model":"meta/llama","cause":"revoked","endedAt":"2025-05-03"}]}"#

  @Test func `A list is a table, only names, or says that there is nothing`() throws {
    let teams = try items(TeamItem.self, Self.team)
    #expect(
      TeamNoun.list(teams, try output(), Self.terminal) == """
        NAME     TITLE           AUDIENCE  GRANTS      KEYS
        copilot  GitHub Copilot  internal  xai/grok-3  2
        """)
    #expect(TeamNoun.list(teams, try output("-q"), Self.terminal) == "copilot")
    #expect(TeamNoun.list([], try output(), Self.terminal) == "no teams")
    #expect(
      TeamNoun.list(teams, try output("-o", "wide"), Self.terminal).hasSuffix("2025-05-01  team/9"))
  }

  @Test func `A show tells fields, then tables`() throws {
    let team = try #require(items(TeamItem.self, Self.team).first)
    #expect(
      TeamNoun.show(team, try output(), Self.terminal) == """
        name        copilot
        title       GitHub Copilot
        id          team/9
        audience    internal
        quota       900 requests, any number of tokens a minute
        keys        2
        registered  2025-05-01

        GRANTS
        MODEL       WORKLOAD   REQUESTS/MIN  TOKENS/MIN  SINCE                UNTIL
        xai/grok-3  inference  600           -           2025-05-02 10:00:00  2026-01-01

        ENDED GRANTS
        MODEL       CAUSE    AT
        meta/llama  revoked  2025-05-03
        """)
  }

  @Test func `A key is shown with each of its secrets that is good, and until when`() throws {
    var world = World()
    let team = RegisterTeam(name: "copilot", audience: .internal)
    let issue = IssueKey(
      team: "copilot", name: "laptop", secret: .numbered(1), prefix: "wk_old",
      until: world.now.adding(days: 30))
    try world.perform(team)
    try world.perform(issue)
    let rotate = RotateKey(
      team: "copilot", name: "laptop", secret: .numbered(2), prefix: "wk_new",
      graceSeconds: 86_400)
    try world.perform(rotate)
    let id = try #require(world.state.keys.keys.first)
    func shown(after days: Int) throws -> (item: KeyItem, text: String) {
      let view = Viewpoint(state: world.state, moment: world.now.adding(days: days))
      let item = KeyItem(try #require(world.state.keys[id]), view)
      return (item, KeyNoun.show(item, try output(), Self.terminal))
    }
    let whole = try shown(after: 0).text
    #expect(
      whole == """
        team    copilot
        name    laptop
        id      \(id)
        issued  2025-06-01
        until   2025-07-01 00:00:00 UTC

        SECRETS
        PREFIX   GOOD UNTIL
        wk_new…  2025-07-01
        wk_old…  2025-06-02
        """)
    let inGrace = try shown(after: 0).item
    #expect(inGrace.previousUntil == world.now.adding(days: 1))
    #expect(KeyNoun.list([inGrace], try output("-o", "wide"), Self.terminal).contains("2025-06-02"))
    #expect(try shown(after: 1).item.secrets.map(\.prefix) == ["wk_new"])
    #expect(try shown(after: 1).item.previousUntil == nil)
    #expect(try shown(after: 30).item.secrets.isEmpty)
    for text in [
      String(decoding: try JSONEncoder().encode(inGrace), as: UTF8.self), try shown(after: 0).text,
    ] {
      for digest in [Digest.numbered(1), .numbered(2)] {
        #expect(!text.contains(digest.description) && !text.contains("secret\""))
      }
    }
  }

  @Test func `A node says what each device is charged to`() throws {
    let node = try #require(
      items(
        NodeItem.self,
        #"{"id":"node/4","name":"n1","status":"active","cordoned":true,"address":"10.0.0.1","cpuMillis":8000,"freeCPUMillis":7000,"memory":17179869184,"freeMemory":16106127360,"devices":[{"id":"sim-0","model":"H100","memory":85899345920,"charged":true,"replica":"grok-1","attempt":"9.1.12"},{"id":"sim-1","model":"H100","memory":85899345920,"charged":true},{"id":"sim-2","model":"H100","memory":85899345920,"charged":false}],"freeDevices":1,"attempts":2,"generation":12}"#
      ).first)
    #expect(
      NodeNoun.show(node, try output(), Self.terminal) == """
        name        n1
        id          node/4
        status      cordoned
        address     10.0.0.1
        cpu         7000m of 8000m free
        memory      15GiB of 16GiB free
        attempts    2
        generation  12

        DEVICES
        DEVICE  MODEL  MEMORY  CHARGED TO
        sim-0   H100   80GiB   grok-1
        sim-1   H100   80GiB   something
        sim-2   H100   80GiB   free
        """)
  }

  @Test func `A diff tells each thing, and what changed of it`() throws {
    let diff = try items(
      DiffItem.self,
      #"{"kind":"team","id":"team/9","name":"copilot","change":"changed","fields":[{"field":"keys","from":1,"to":2},{"field":"grants[xai/grok-3]","from":{"model":"xai/grok-3","workload":"inference"}},{"field":"title","from":"a","to":"b c"}]},{"kind":"model","id":"model/3","name":"xai/grok-3","change":"added","fields":[]},{"kind":"key","id":"key/8","name":"copilot/laptop","change":"removed","fields":[]}"#
    )
    #expect(
      DiffText.render(diff, try output(), Self.terminal) == """
        ~ team copilot
            keys: 1 → 2
            grants[xai/grok-3]: - model=xai/grok-3 workload=inference
            title: a → b c
        + model xai/grok-3
        - key copilot/laptop
        """)
    #expect(DiffText.render([], try output(), Self.terminal) == "no difference")
    let times = try items(
      DiffItem.self,
      #"{"kind":"agreement","id":"agreement/3","name":"xai","change":"changed","fields":[{"field":"until","from":"2095-05-01T00:00:00.000000Z","to":"2096-05-01T10:30:00.000000Z"},{"field":"terminatedAt","from":"2025-05-01T10:30:00.000001Z","to":"2025-05-01T10:30:00.000002Z"},{"field":"grants[xai/grok-3]","to":{"model":"xai/grok-3","ends":"2095-05-01T00:00:00.000000Z"}}]}"#
    )
    #expect(
      DiffText.render(times, try output(), Self.terminal) == """
        ~ agreement xai
            until: 2095-05-01 → 2096-05-01 10:30:00
            terminatedAt: "2025-05-01T10:30:00.000001Z" → "2025-05-01T10:30:00.000002Z"
            grants[xai/grok-3]: + model=xai/grok-3 ends=2095-05-01
        """)
  }

  @Test func `Why tells the verdict, the facts, each node's rules, and what would help`() {
    let item = WhyItem(
      subject: "deployment grok", verdict: "1 of 2 replicas waits for a place",
      facts: ["grok-2 wants 2 devices with 70GiB on one node"],
      nodes: [
        .init(node: "n1", rules: ["wants 2 devices, 0 free"]), .init(node: "node-2", rules: []),
      ], help: ["free 2 devices on n1"])
    #expect(
      WhyText.render(item, Self.terminal) == """
        deployment grok: 1 of 2 replicas waits for a place
          grok-2 wants 2 devices with 70GiB on one node

        NODES
        n1      wants 2 devices, 0 free
        node-2  would do

        help: free 2 devices on n1
        """)
  }

  @Test func `Events are told with who did them and why`() throws {
    let events = try items(
      EventItem.self,
      #"{"position":17,"stream":"provider/5","type":"providerSuspended","data":{"a":"b"},"metadata":{"reason":"court order"},"actor":"person/3","actorName":"ada","recordedAt":"2025-05-01T10:00:00.5Z"}"#
    )
    #expect(
      EventText.render(events, try output(), Self.terminal) == """
        POSITION  TIME                 ACTOR  STREAM      EVENT              WHAT
        17        2025-05-01 10:00:00  ada    provider/5  providerSuspended  a=b — court order
        """)
  }

  @Test func `A revocation's proof counts gateways, and names those whose lease ran out`() throws {
    let name = { (text: String) in try Name(text) }
    let one = [EnforcementItem(gateway: try name("g1"), enforced: 20, leaseSeconds: 9)]
    #expect(Enforcement.text(one, 17, "41 ms") == "enforced on 1 of 1 gateways in 41 ms")
    let two = one + [EnforcementItem(gateway: try name("g2"), enforced: 3, leaseSeconds: 0)]
    #expect(
      Enforcement.text(two, 17, "3.4 s")
        == "enforced on 1 of 2 gateways in 3.4 s; serving nothing, for its lease has run out: g2")
    #expect(!EnforcementItem(gateway: try name("g3"), enforced: 3, leaseSeconds: 0.1).holds(17))
    #expect(Elapsed.text(.milliseconds(41)) == "41 ms")
    #expect(Elapsed.text(.milliseconds(3_460)) == "3.4 s")
  }
}
