# pods are stopped before services forget them
# src/plan/actions.def
/^ACTION\(SERVICES,/{h;d};/^ACTION\(POD_REMOVE,/{x;G}
