// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/screens.css";
import "./style/access.css";
import type { Place } from "./address";
import { usePlace, welcome } from "./address";
import { AccessScreen } from "./access";
import { AccountScreen } from "./account";
import { AuditScreen } from "./audit";
import { FindingsScreen } from "./findings";
import { FleetScreen } from "./fleet";
import { Frame, paintFirst } from "./frame";
import { begun, follow } from "./live";
import { LogInScreen, WhoMark } from "./login";
import { PostureScreen } from "./posture";
import { RemediationScreen } from "./remediation";
import { fitFirst } from "./scale";
import type { Who } from "./session";
import { findOut, may, who as whoNow } from "./session";
import { useStore } from "./store";
import { SystemScreen } from "./system";

const screens: Record<string, (props: { place: Place }) => preact.JSX.Element> = {
  posture: PostureScreen,
  findings: FindingsScreen,
  remediation: RemediationScreen,
  fleet: FleetScreen,
  system: SystemScreen,
  audit: AuditScreen,
  access: AccessScreen,
  account: AccountScreen,
};

/** What is shown only to who has the permission. */
const kept: Record<string, string> = { audit: "audit", access: "admin" };

function Inside({ who }: { who: Who }) {
  const place = usePlace();
  useEffect(follow, []);
  const ready = useStore(begun);
  const offered = Object.keys(screens).filter((name) => kept[name] === undefined || may(kept[name]));
  const name = offered.includes(place.screen) ? place.screen : "posture";
  const Screen = screens[name] ?? PostureScreen;
  return (
    <Frame screen={name} offered={offered} who={<WhoMark who={who} />}>
      {ready && <Screen place={place} />}
    </Frame>
  );
}

/** A place that somebody was sent to is kept while he logs in. */
function Page() {
  const who = useStore(whoNow);
  useEffect(() => void findOut(), []);
  return who === "out" ? <LogInScreen /> : who === "asking" ? <div class="frame" aria-busy="true" /> : <Inside key={typeof who === "string" ? who : who.name} who={who} />;
}

welcome();
paintFirst();
fitFirst();
render(<Page />, document.getElementById("page")!);
