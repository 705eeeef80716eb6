// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/screens.css";
import { usePlace, welcome } from "./address";
import { FindingsScreen } from "./findings";
import { Frame } from "./frame";
import { follow } from "./live";
import { PostureScreen } from "./posture";
import { RemediationScreen } from "./remediation";

const offered = ["posture", "findings", "remediation"];

function Page() {
  const place = usePlace();
  useEffect(follow, []);
  const screen = offered.includes(place.screen) ? place.screen : "posture";
  return (
    <Frame screen={screen} offered={offered} who={null}>
      {screen === "posture" && <PostureScreen place={place} />}
      {screen === "findings" && <FindingsScreen place={place} />}
      {screen === "remediation" && <RemediationScreen place={place} />}
    </Frame>
  );
}

welcome();
render(<Page />, document.getElementById("page")!);
