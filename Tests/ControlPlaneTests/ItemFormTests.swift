// What items are written as: by their generated coders the same text as by the compiler's Codable, which reads
// it on the other side.

import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane

@Suite struct ItemFormTests {
  @Test(arguments: 1...UInt64(6)) func `an item is written as Codable would write it`(
    seed: UInt64
  ) throws {
    var log = try RandomLog(seed: seed)
    try log.grow(by: 400)
    try log.addSeldom()
    let view = Viewpoint(
      state: log.state, moment: log.state.recordedAt,
      heard: .init(gateways: nil, silentSeconds: { $0.name.text.utf8.count % 3 == 0 ? 90 : nil }))
    var count = 0
    func check<Item: NounItem>(_ shelf: Shelf<Item>) throws {
      for item in shelf.all(view) {
        var json = JSONWriter()
        item.write(to: &json)
        #expect(json.bytes == JSONEncoding.bytes(of: item))
        #expect(
          try JSONDecoding.read(Item.self, from: JSONValue(document: json.bytes), strict: true)
            == item)
        count += 1
      }
    }
    try check(Shelves.providers)
    try check(Shelves.agreements)
    try check(Shelves.models)
    try check(Shelves.engines)
    try check(Shelves.teams)
    try check(Shelves.keys)
    try check(Shelves.persons)
    try check(Shelves.nodes)
    try check(Shelves.deployments)
    try check(Shelves.replicas)
    try check(Shelves.gateways)
    try check(Shelves.marks)
    #expect(count > 60)
    let status = StatusItem(
      view, hash: .zero, behind: nil, aheadSeconds: 3, standing: "leading", you: "ada", role: .admin
    )
    var json = JSONWriter()
    status.write(to: &json)
    #expect(json.bytes == JSONEncoding.bytes(of: status))
  }
}
