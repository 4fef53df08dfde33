// Which process of a gateway was there before, and is gone for certain.

import TestTools
import Testing
import Time

@testable import Gateway

struct ProcessFileTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func began(_ path: String, _ told: inout [String]) -> ProcessFile {
    var words: [String] = []
    let file = ProcessFile(file: path, random: Clocks.system.random) { words.append($0) }
    told += words
    return file
  }

  @Test func `the next process knows the one before, once that is gone`() {
    var told: [String] = []
    let path = folder.path("gateway.process")
    var before = began(path, &told).incarnation
    for _ in 0..<3 {
      let next = began(path, &told)
      #expect(next.replaces == before)
      before = next.incarnation
    }
    #expect(told == [])
  }

  @Test func `two that live are two, and the second is told what to do`() {
    var told: [String] = []
    let path = folder.path("gateway.process")
    let first = began(path, &told)
    #expect(told == [])
    let second = began(path, &told)
    #expect(second.replaces == nil && second.incarnation != first.incarnation)
    #expect(told.count == 1 && told[0].contains("give each its own --seen-file"))
    withExtendedLifetime((first, second)) {}
  }

  @Test func `where it cannot be kept, what follows is told`() {
    var told: [String] = []
    #expect(began(folder.path("none/gateway.process"), &told).replaces == nil)
    #expect(told.count == 1 && told[0].contains("its leases are waited for"))
  }
}
