// Tells the control plane what was seen of replicas, where there is something to tell: counts, nothing of
// what was asked. What cannot be told is dropped: it would be old news.

import AsyncHTTPClient
import Hosting
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Time
import Wire

struct SightingLink: Service {
  let gate: Gate
  let client: HTTPClient
  let servers: [String]
  let credentialFile: String
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var server = 0
      var since = gate.clock.uptime
      while !Task.isCancelled {
        try? await gate.clocks.sleep(for: .seconds(gate.limits.sightingSeconds))
        let now = gate.clock.uptime
        let seconds = Int((now - since).inSeconds.rounded())
        since = now
        let items = gate.takeSeen().map { attempt, seen in
          AttemptSighting(
            attempt: attempt, asked: seen.asked, answered: seen.answered, gaveUp: seen.gaveUp)
        }
        guard !items.isEmpty else { continue }
        await tell(
          GatewaySightings(
            seconds: min(max(1, seconds), GatewaySightings.longestSeconds),
            items: Array(items.prefix(GatewaySightings.itemsLimit))), &server)
      }
    }
  }

  private func tell(_ sightings: GatewaySightings, _ server: inout Int) async {
    for _ in servers {
      do {
        let status = try await send(sightings, to: servers[server])
        // A wharfd of before knows no such thing.
        if (200...299).contains(status) || status == 404 { return }
        logger.debug("what was seen of engines was not taken", metadata: ["status": "\(status)"])
      } catch {
        logger.debug("what was seen of engines was not told", metadata: ["why": "\(error)"])
      }
      server = (server + 1) % servers.count
    }
  }

  private func send(_ sightings: GatewaySightings, to server: String) async throws -> Int {
    let credential = try Credential(file: credentialFile, isInUse: true)
    var request = HTTPClientRequest(url: server + "/v1/gateway/sightings")
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(credential.secret)")
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: sightings.jsonBytes))
    let whole = request
    let seconds = gate.limits.controlPlaneReplySeconds
    return try await within(milliseconds: seconds * 1_000, by: gate.clocks) { [client] in
      let response = try await client.execute(whole, timeout: .seconds(seconds))
      _ = try await response.body.collect(upTo: 1 << 16)
      return Int(response.status.code)
    }
  }
}
