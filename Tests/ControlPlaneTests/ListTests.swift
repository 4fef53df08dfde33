// Lists in pages, and narrowed: each thing once, in one order, and nothing in silence.

import Foundation
import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct ListTests {
  private func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  private func page<Item>(
    _ rig: APIRig, _ path: String, _ type: Item.Type
  ) async throws -> ItemsReply<Item> {
    let answer = try await rig.get("/v1/\(path)")
    #expect(answer.status == 200, "\(path): \(answer.text)")
    return try ItemsReply<Item>(jsonBytes: answer.body)
  }

  /// All pages of a list, each of at most so many.
  private func all<Item: NounItem>(
    _ rig: APIRig, _ path: String, by limit: Int, _ type: Item.Type
  ) async throws -> [String] {
    var labels: [String] = []
    var next: String?
    let mark = path.contains("?") ? "&" : "?"
    repeat {
      let after = next.map { "&after=\(encoded($0))" } ?? ""
      let page = try await page(rig, "\(path)\(mark)limit=\(limit)\(after)", type)
      #expect(page.items.count <= limit && (page.next == nil || page.items.count == limit))
      labels += page.items.map(\.id)
      next = page.next
    } while next != nil
    return labels
  }

  /// A few things of each noun, some of whose names begin alike.
  private func world() async throws -> APIRig {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    for provider in ["xai", "xai-labs", "acme"] {
      let name = Name(known: provider)
      try await rig.submit(RegisterProvider(name: name), by: admin)
      let terms = Terms(
        scope: [.inference], audiences: [.internal, .external], from: state.recordedAt, until: nil,
        noticeDays: 1)
      try await rig.submit(SignAgreement(provider: name, terms: terms), by: admin)
      for model in 1...4 {
        let reference = try ModelReference(jsonText: "\(provider)/m\(model)")
        try await rig.submit(
          OnboardModel(model: reference, task: .chat, contextLength: nil), by: admin)
        if model > 1 {
          try await rig.submit(
            PublishModel(model: reference, audience: .internal, stage: .general), by: admin)
        }
      }
    }
    for team in ["copilot", "copilot-b", "a", "zeta"] {
      let name = Name(known: team)
      try await rig.submit(
        RegisterTeam(name: name, audience: team == "zeta" ? .external : .internal), by: admin)
      for key in ["one", "two"] {
        let secret = Secret(text: "wharf-key-\(team)-\(key)")
        try await rig.submit(
          IssueKey(team: name, name: Name(known: key), secret: secret.digest, prefix: "wk"),
          by: admin)
      }
    }
    try await rig.submit(
      GrantAccess(team: "copilot", model: ModelReference(jsonText: "xai/m2")), by: admin)
    for mark in ["b", "a", "c"] {
      try await rig.submit(PlaceMark(name: Name(known: mark)), by: admin)
    }
    return rig
  }

  @Test func `pages of any size make the list, each thing once and in its order`() async throws {
    let rig = try await world()
    func check<Item: NounItem>(_ path: String, _ type: Item.Type, _ count: Int) async throws {
      let whole = try await page(rig, path, type).items.map(\.id)
      #expect(whole.count == count, "\(path)")
      for limit in [1, 2, 3, count, count + 1] {
        #expect(try await all(rig, path, by: limit, type) == whole, "\(path) by \(limit)")
      }
    }
    try await check("providers", ProviderItem.self, 3)
    try await check("agreements", AgreementItem.self, 3)
    try await check("models", ModelItem.self, 12)
    try await check("teams", TeamItem.self, 4)
    try await check("keys", KeyItem.self, 8)
    try await check("teams/copilot/keys", KeyItem.self, 2)
    try await check("marks", MarkItem.self, 3)
    try await check("persons", PersonItem.self, 1)
    try await check("models?provider=xai", ModelItem.self, 4)
    let labels = try await page(rig, "keys", KeyItem.self).items.map(\.label)
    #expect(
      labels == [
        "a/one", "a/two", "copilot/one", "copilot/two", "copilot-b/one",
        "copilot-b/two", "zeta/one", "zeta/two",
      ])
    await rig.stop()
  }

  @Test func `a list is narrowed by what its things have to do with, and says by what`()
    async throws
  {
    let rig = try await world()
    func labels<Item: NounItem>(_ path: String, _ type: Item.Type) async throws -> [String] {
      try await page(rig, path, type).items.map(\.label)
    }
    #expect(
      try await labels("models?provider=ACME&status=embargoed", ModelItem.self) == ["acme/m1"])
    #expect(try await labels("models?audience=external", ModelItem.self) == [])
    #expect(try await labels("teams?model=xai/m2", TeamItem.self) == ["copilot"])
    #expect(try await labels("teams?audience=external", TeamItem.self) == ["zeta"])
    #expect(try await labels("agreements?provider=xai-labs", AgreementItem.self) == ["xai-labs"])
    #expect(try await labels("keys?team=a", KeyItem.self) == ["a/one", "a/two"])
    let reply = try await page(rig, "models?status=published&provider=xai", ModelItem.self)
    #expect(Set(reply.filters ?? []) == ["status=published", "provider=xai"])
    #expect(try await page(rig, "models", ModelItem.self).filters == nil)
    await rig.stop()
  }

  @Test(arguments: [
    ("models?limit=0", "from 1 to"), ("models?limit=-1", "from 1 to"),
    ("models?limit=1000000", "from 1 to"), ("models?limit=ten", "from 1 to"),
    ("models?after=teams:3:a", "'next' of a page of models"), ("models?after=", "'next' of a page"),
    ("models?after=models:x:a", "'next' of a page"),
    ("models?provder=xai", "did you mean 'provider'"), ("models?srt=name", "did you mean 'sort'"),
    ("models?sort=nmae", "name, versions, id"), ("models?sort=", "name, versions, id"),
    ("models?sort=--id", "name, versions, id"), ("models?fields=", "some of id, "),
    ("models?fields=id,", "some of id, "), ("models?fields=id,nme", "some of id, "),
    ("models?sort=-id&after=models:3:a", "'next' of a page of models sorted by -id"),
    ("models?after=models%20by%20-id:1:2:a", "'next' of a page of models"),
    ("models?status=publshed", "did you mean published"), ("models?provider=nobody", "nobody"),
    ("teams?model=xai/m2:1", "without a version"), ("teams?model=xai/none", "xai/none"),
    ("models?provider=xai&provider=acme", "one value"), ("marks?provider=xai", "not listed by"),
    ("keys?team=ghost", "ghost"), ("teams/ghost/keys", "ghost"),
  ])
  func `what a list cannot be asked for is refused, and what can is said`(
    path: String, words: String
  ) async throws {
    let rig = try await world()
    let answer = try await rig.get("/v1/\(path)")
    #expect((400...404).contains(answer.status), "\(path): \(answer.text)")
    let failure = try #require(answer.failure)
    #expect("\(failure.message) \(failure.help ?? "")".contains(words), "\(failure)")
    #expect(failure.help?.isEmpty == false)
    await rig.stop()
  }

  @Test func `a list comes in another order, and with some fields`() async throws {
    let rig = try await world()
    func ids(_ path: String) async throws -> [String] {
      try await page(rig, path, TeamItem.self).items.map(\.label)
    }
    #expect(try await ids("teams?sort=name") == ["a", "copilot", "copilot-b", "zeta"])
    #expect(try await ids("teams?sort=-name") == ["zeta", "copilot-b", "copilot", "a"])
    #expect(try await ids("teams?sort=id") == ["copilot", "copilot-b", "a", "zeta"])
    #expect(try await ids("teams?sort=-grants&limit=2") == ["copilot", "zeta"])
    for limit in 1...5 {
      #expect(
        try await all(rig, "teams?sort=-grants", by: limit, TeamItem.self).count == 4)
    }
    let reply = try await page(rig, "teams?sort=name&limit=1", TeamItem.self)
    #expect(reply.filters == ["sort=name"])
    let some = try await rig.get("/v1/teams?fields=keys,name&limit=2&sort=-name").text
    #expect(
      some.contains(
        #""items":[{"name":"zeta","keys":2},{"name":"copilot-b","keys":2}],"next":"teams by -name:"#
      ), "\(some)")
    #expect(some.contains(#""filters":["sort=-name","fields=keys,name"]"#), "\(some)")
    await rig.stop()
  }

  @Test func `the first things are found as by sorting all`() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<200 {
      let count = Int.random(in: 0...60, using: &random)
      let keys = (0..<count).map { _ in
        ListKey(
          random.pick(["a", "a b", "ab", "b"]), Int64.random(in: 0...1_000_000, using: &random))
      }
      let limit = Int.random(in: 1...70, using: &random)
      var first = FirstThings<ListKey, ListKey>(limit: limit)
      for key in keys { first.add(key, key) }
      let found = first.sorted()
      let all = keys.sorted()
      #expect(found.things == Array(all.prefix(limit)))
      #expect(found.last == all.prefix(limit).last && found.hasMore == (count > limit))
    }
  }

  @Test func `what a key is as text is that key, in its own list only`() {
    for key in [ListKey("xai/grok", 7), ListKey("a b", -1), ListKey("a:b:c", 0), ListKey("", 3)] {
      #expect(ListKey(text: key.text(in: "keys"), in: "keys") == key)
      #expect(ListKey(text: key.text(in: "keys"), in: "teams") == nil)
    }
  }
}
