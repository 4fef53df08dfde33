// Bodies that nobody may send, or that never end: what programs take of memory for them, and give back. The
// kernel's count of each process is the oracle.

import Foundation
import TestKit
import Testing

@Suite(.serialized, .bounded) struct FloodTests {
  private static let mebibyte = 1 << 20
  private static let connections = 96
  /// Buffers of connections, and what a program takes when it is first asked: far less than the bodies.
  private static let spareMiB = 48
  private static let chat = "/v1/chat/completions"

  /// Of bodies of which most is sent, and never the end.
  private struct Flood: CustomStringConvertible {
    let program: String
    let port: Int
    let path: String
    let token: String
    let bytes: Int
    /// By whoever may send it.
    let isRead: Bool

    init(
      _ program: String, _ port: Int, _ path: String, _ token: String, bytes: Int,
      isRead: Bool = false
    ) {
      (self.program, self.port, self.path) = (program, port, path)
      (self.token, self.bytes, self.isRead) = (token, bytes, isRead)
    }

    var description: String { "a flood of \(isRead ? "known" : "strangers'") bodies at \(program)" }
  }

  private struct Memory {
    var nowMiB: Int
    var mostMiB: Int
  }

  private func memory(_ site: Site, _ name: String) throws -> Memory {
    let status = try String(contentsOfFile: "/proc/\(site.pid(name))/status", encoding: .utf8)
    func read(_ field: String) throws -> Int {
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field) })
      return try #require(Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")) / 1024
    }
    return Memory(nowMiB: try read("VmRSS:"), mostMiB: try read("VmHWM:"))
  }

  /// All at once, each until what it sent is taken, or it is answered, or its connection ends.
  private func begin(_ flood: Flood) async throws -> [RawClient] {
    let head =
      "POST \(flood.path) HTTP/1.1\nhost: x\nauthorization: Bearer \(flood.token)\n"
      + "wharf-command-id: \(UUID().uuidString)\n"
      + "content-type: application/json\ncontent-length: \(flood.bytes)\n\n"
    let body = [UInt8](repeating: 32, count: flood.bytes - 1)[...]
    var clients: [RawClient] = []
    for _ in 0..<Self.connections { clients.append(try RawClient(port: flood.port)) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in clients {
        group.addTask {
          guard client.send(head) else { return }
          var rest = body
          try await eventually("all is taken, or refused") {
            rest = client.sendWhatFits(rest)
            return rest.isEmpty || client.hasEnded || !client.received.isEmpty
          }
        }
      }
      try await group.waitForAll()
    }
    return clients
  }

  @Test(.database)
  func `a flood of bodies takes no more memory than it may, and leaves none taken`()
    async throws
  {
    let site = try Site()
    try await site.startDaemon(on: .current)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 1)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let admin = try #require(site.folder.text("token")).trimmingCharacters(in: .newlines)
    let floods = [
      Flood("wharfd", site.apiPort, "/v1/commands", "nobody's", bytes: 1_000_000),
      Flood("wharfd", site.apiPort, "/v1/commands", admin, bytes: 1_000_000, isRead: true),
      Flood("wharf-gateway", site.gatewayPort, Self.chat, "nobody's", bytes: 8_000_000),
      Flood("wharf-gateway", site.gatewayPort, Self.chat, key, bytes: 8_000_000, isRead: true),
    ]
    for flood in floods {
      let before = try memory(site, flood.program)
      var others: [RawClient] = []
      // What stays of the first is taken by the next.
      for _ in 0..<3 {
        let clients = try await begin(flood)
        if flood.isRead {
          try await eventually("\(flood) is being read") {
            try memory(site, flood.program).nowMiB - before.nowMiB
              >= clients.count * flood.bytes / Self.mebibyte * 2 / 3
          }
        } else {
          try await eventually("\(flood) is refused") { clients.allSatisfy(\.hasEnded) }
          let taken = try memory(site, flood.program).mostMiB - before.mostMiB
          #expect(taken < Self.spareMiB, "\(flood)")
        }
        // What is asked meanwhile lies in memory behind the bodies, and stays.
        for _ in 0..<Self.connections / 4 {
          let other = try RawClient(port: flood.port)
          other.send("GET /health HTTP/1.1\nhost: x\nauthorization: Bearer \(flood.token)\n\n")
          others.append(other)
        }
        try await eventually("others are answered") {
          others.allSatisfy { !$0.received.isEmpty }
        }
        for client in clients { client.close() }
      }
      try await eventually("\(flood) leaves nothing behind") {
        try memory(site, flood.program).nowMiB - before.nowMiB < Self.spareMiB
      }
    }
    try await site.end()
  }
}
