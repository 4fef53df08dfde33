// `GET /v1/why/deployment/NAME`, `GET /v1/why/replica/NAME`, and of access, `GET
// /v1/why/team/NAME?model=PROVIDER/MODEL`: the planner's own explanation, computed
// now, or as of an earlier moment, by the functions that decide.

import EventLog
import HashTreeCollections
import Hosting
import Hummingbird
import Planner
import Time
import Wire

struct WhyRoute: Sendable {
  let source: ReadSource
  let signals: SignalBook

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("why/:kind/:name") { request, parameters in
      let kind = try parameters.parameters.require("kind")
      let name = try PathText.decoded(parameters.parameters.require("name"))
      return try await source.answer(request) { context in
        let explanation =
          kind == "team"
          ? try access(name, request, context) : explanation(kind, name, context)
        guard let explanation else {
          throw APIError(Self.unknown(kind, name), at: context.state.position)
        }
        return Response.json(
          ItemReply(position: context.state.position, item: WhyItem(explanation)).jsonBytes,
          head: context.head)
      }
    }
  }

  /// Of what a team may use: asked of the state, by the function that gateways refuse by.
  private func access(
    _ name: String, _ request: Request, _ context: ReadContext
  ) throws -> Explanation? {
    guard let team = Shelves.team(name, context.view) else {
      throw APIError(.unknown(.team, name), at: context.state.position)
    }
    let asked = request.uri.queryParameters["model"].map(String.init) ?? ""
    guard let reference = try? ModelReference(jsonText: asked) else {
      throw APIError.badParameter("model", asked, wanted: "PROVIDER/MODEL")
    }
    guard let model = context.state.models.keyed(reference.key) else {
      throw APIError(.unknown(.model, asked), at: context.state.position)
    }
    return explain(accessOf: team.id, to: model.id, context.state, now: context.moment)
  }

  private func explanation(_ kind: String, _ name: String, _ context: ReadContext) -> Explanation? {
    // What is heard now says nothing of earlier, and what was heard then is not kept.
    var heard =
      context.isOfThePast
      ? Signals(hearingSeconds: 0, limits: signals.limits)
      : signals.signals(at: source.clocks.now)
    heard.gateways = context.heard?.gateways
    switch kind {
    case "deployment":
      guard let stream = context.state.stream(.deployment, named: name) else { return nil }
      return explain(ID<Deployment>(stream.origin), context.state, heard, now: context.moment)
    case "replica":
      guard let replica = Self.replica(name, context.state) else { return nil }
      return explain(replica, context.state, heard, now: context.moment)
    default: return nil
    }
  }

  /// `31.2`, or `grok-2`: the deployment's name and the replica's number.
  private static func replica(_ name: String, _ state: HostingState) -> ReplicaID? {
    if let id = try? ReplicaID(jsonText: name) { return id }
    guard let dash = name.lastIndex(of: "-"), let number = Int(name[name.index(after: dash)...]),
      let deployment = try? Name(String(name[..<dash])),
      let found = state.deployments.named(deployment)
    else { return nil }
    return ReplicaID(deployment: found.id.position, number: number)
  }

  private static func unknown(_ kind: String, _ name: String) -> Refusal {
    switch kind {
    case "deployment": .unknown(.deployment, name)
    case "replica":
      Refusal(
        "unknownReplica", "there is no replica named '\(name.shortened(to: 80))'",
        help: "list them with: wharf replica list")
    default:
      Refusal(
        "unknownKind", "there is no why of a '\(kind.shortened(to: 40))'",
        help: "ask for a deployment, a replica or a team")
    }
  }
}

extension WhyItem {
  init(_ explanation: Explanation) {
    self.init(
      subject: explanation.subject, verdict: explanation.verdict,
      facts: explanation.facts + explanation.replicas.map { "\($0.names): \($0.text)" },
      nodes: explanation.ruledOut.map {
        RuledOut(node: $0.nodes == 1 ? "1 node" : "\($0.nodes) nodes", rules: [$0.text])
      },
      help: explanation.remedies)
  }
}
