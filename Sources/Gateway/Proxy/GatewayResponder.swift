// The gateway's endpoint: which request is which, whose key it bears, and whether it is let through.

import AsyncHTTPClient
import Crypto
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import ServiceLifecycle
import Time
import Wire

struct GatewayContext: InitializableFromSource {
  let channel: any Channel
  init(source: ApplicationRequestContextSource) { channel = source.channel }
}

struct GatewayResponder: HTTPResponder {
  typealias Context = GatewayContext

  let gate: Gate
  let metrics: GatewayMetrics
  let client: HTTPClient
  let connections: ConnectionBook
  /// A caller that bears it may read names in the metrics.
  let metricsToken: Hosting.Digest?
  let failures: FailureLog
  let bodies: BodyBudget

  func respond(to request: Request, context: GatewayContext) async throws -> Response {
    var response = await answer(request, context)
    let reading = gate.reading
    if reading.isInGrace {
      response.headers[.wharfGraceSeconds] = "\(Int(reading.servingLeft.inSeconds))"
    }
    // A client that keeps its connection would hold up the end.
    if Task.isShuttingDownGracefully { response.headers[.connection] = "close" }
    return response
  }

  private func answer(_ request: Request, _ context: GatewayContext) async -> Response {
    let path = request.uri.path
    do throws(Rejection) {
      if let endpoint = Endpoint(rawValue: path) {
        guard request.method == .post else {
          throw Rejection(denial: .wrongMethod(request.method.rawValue, path, allowed: "POST"))
        }
        return try await complete(request, endpoint, context)
      }
      switch (request.method, path) {
      case (.get, "/v1/models"): return try models(request, context)
      case (.get, let path) where Self.isOfOneModel(path):
        return try model(request, String(path.dropFirst("/v1/models/".count)), context)
      case (.get, "/health"): return Replies.health(gate.reading)
      case (.get, "/metrics"): return metricsPage(request)
      case (_, "/v1/models"), (_, "/health"), (_, "/metrics"):
        throw Rejection(denial: .wrongMethod(request.method.rawValue, path, allowed: "GET, HEAD"))
      case (_, let path) where Self.isOfOneModel(path):
        throw Rejection(denial: .wrongMethod(request.method.rawValue, path, allowed: "GET, HEAD"))
      default:
        throw Rejection(
          denial: .unknownRoute(request.method.rawValue, path, meant: Self.meant(by: path)))
      }
    } catch {
      return reject(error, request)
    }
  }

  private static func isOfOneModel(_ path: String) -> Bool {
    path.hasPrefix("/v1/models/") && path != "/v1/models/"
  }

  private static let paths = Set(
    Endpoint.allCases.map(\.path) + ["/v1/models", "/health", "/metrics"])

  /// The path that somebody may have meant who wrote a slash too many, or left out the version.
  private static func meant(by path: String) -> String? {
    let words = path.split(separator: "/")
    let written = "/" + words.joined(separator: "/")
    return [written, "/v1" + written].first { paths.contains($0) || isOfOneModel($0) }
  }

  private func reject(_ rejection: Rejection, _ request: Request) -> Response {
    metrics.count(model: rejection.modelName, team: rejection.team, code: rejection.denial.status)
    let requestID = Headers.requestID(request.headers, gate.clocks.random)
    failures.replied(
      rejection.denial, team: rejection.team, requestID: requestID, attempt: nil,
      now: gate.clock.uptime)
    var response = Replies.error(rejection.denial)
    response.headers[.requestID] = requestID
    response.headers[.wharfPosition] = gate.reading.position.description
    if let quota = rejection.quota { Headers.write(quota, to: &response.headers) }
    return response
  }

  // MARK: Models answer

  private func complete(
    _ request: Request, _ endpoint: Endpoint, _ context: GatewayContext
  ) async throws(Rejection) -> Response {
    let startedAt = gate.clock.uptime
    let key = try keyDigest(request)
    _ = try team(of: key, context)
    let room = BodyRoom(bodies)
    let body = try await body(of: request, room)
    var scan: RequestScan
    do throws(Denial) { scan = try RequestScan(body) } catch { throw Rejection(denial: error) }
    var wish = scan.wish
    if endpoint == .embeddings {
      wish.answerTokens = 0
      scan.usageEdit = nil
    }
    let (admission, control) = try gate.admit(
      keyDigest: key, model: scan.model, at: endpoint, wish: wish)
    let exchange = Exchange(
      gate: gate, metrics: metrics, admission: admission, control: control,
      call: EngineCall(
        client: client, limits: gate.limits, clocks: gate.clocks, path: endpoint.path,
        isStream: scan.isStream),
      startedAt: startedAt, requestID: Headers.requestID(request.headers, gate.clocks.random),
      client: connections[context.channel], room: room, channel: context.channel,
      failures: failures)
    return await exchange.response(to: request.headers, scan: scan, body: body)
  }

  private func keyDigest(_ request: Request) throws(Rejection) -> Hosting.Digest {
    do throws(Denial) {
      return Self.digest(try Headers.bearer(request.headers, limitBytes: gate.limits.keyBytes))
    } catch {
      // Without a lease even this is not said.
      throw Rejection(denial: gate.reading.serves ? error : .noLease)
    }
  }

  /// Whose key it is. Its connection is one that stays when room runs short.
  private func team(
    of key: Hosting.Digest, _ context: GatewayContext
  ) throws(Rejection) -> PolicyIndex.Team {
    do throws(Denial) {
      let team = try gate.team(of: key)
      connections[context.channel]?.isKnown(true)
      return team
    } catch {
      if error == .unknownKey { connections[context.channel]?.isKnown(false) }
      throw Rejection(denial: error)
    }
  }

  private func body(
    of request: Request, _ room: BodyRoom
  ) async throws(Rejection) -> ByteBuffer {
    let limit = gate.limits.requestBodyBytes
    let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    guard declared <= limit else { throw Rejection(denial: .tooLarge(limitBytes: limit)) }
    do {
      var body = ByteBuffer()
      for try await part in request.body {
        guard body.readableBytes + part.readableBytes <= limit else {
          throw Denial.tooLarge(limitBytes: limit)
        }
        guard room.take(part.readableBytes) else { throw Denial.overloaded }
        body.writeImmutableBuffer(part)
      }
      return body
    } catch let denial as Denial {
      throw Rejection(denial: denial)
    } catch let problem as ServingProblem where problem == .tooSlow {
      throw Rejection(denial: Denial(problem, gate.limits))
    } catch {
      throw Rejection(denial: .malformed("The request's body broke off."))
    }
  }

  static func digest(_ secret: Substring) -> Hosting.Digest {
    var hash = SHA256()
    var secret = secret
    secret.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    return Hosting.Digest(bytes: Array(hash.finalize()))
  }

  // MARK: The gateway answers

  private func models(
    _ request: Request, _ context: GatewayContext
  ) throws(Rejection) -> Response {
    let team = try team(of: keyDigest(request), context)
    let reading = gate.reading
    let models = reading.index?.usable(by: team, now: reading.date) ?? []
    return decorated(Replies.models(models), request, reading)
  }

  private func model(
    _ request: Request, _ path: String, _ context: GatewayContext
  ) throws(Rejection) -> Response {
    let team = try team(of: keyDigest(request), context)
    let reading = gate.reading
    let asked = Self.decoded(path)
    do throws(Denial) {
      guard let index = reading.index, let reference = ModelReference(asked),
        let model = index.model(named: reference.model)
      else { throw .unknownModel(asked) }
      _ = try index.grant(of: model, asked: asked, to: team, now: reading.date)
      return decorated(Replies.model(model), request, reading)
    } catch {
      throw Rejection(denial: error)
    }
  }

  /// Some clients write the slash within a model's name as `%2F`. A byte that is no text of itself
  /// stands in no name, so it is left as it was.
  private static func decoded(_ path: String) -> String {
    var bytes: [UInt8] = []
    var rest = path.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let digits = String(rest.prefix(2)),
        let decoded = [UInt8](hexadecimal: digits.lowercased()), decoded.count == 1,
        (0x21...0x7E).contains(decoded[0])
      {
        bytes.append(decoded[0])
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func decorated(
    _ response: Response, _ request: Request, _ reading: Gate.Reading
  ) -> Response {
    var response = response
    response.headers[.requestID] = Headers.requestID(request.headers, gate.clocks.random)
    response.headers[.wharfPosition] = reading.position.description
    return response
  }

  private func metricsPage(_ request: Request) -> Response {
    var named = false
    if let metricsToken,
      let token = try? Headers.bearer(request.headers, limitBytes: gate.limits.keyBytes)
    {
      named = Self.digest(token) == metricsToken
    }
    return Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
      body: .init(byteBuffer: ByteBuffer(string: metrics.text(gate.reading, named: named))))
  }
}
