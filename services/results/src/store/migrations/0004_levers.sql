-- What operators asked for beyond the settings: null and no row mean EARSHOT_MAX_ACK_PENDING.
CREATE TABLE lane_levers (
  durable text PRIMARY KEY,
  max_ack_pending integer CHECK (max_ack_pending >= 1),
  paused boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- What quota errors left of an engine's cap; the row goes when the cap is back at what was asked for.
CREATE TABLE engine_quotas (
  engine text PRIMARY KEY,
  effective integer NOT NULL CHECK (effective >= 3),
  -- the latest end of a refusal that was seen
  seen_until timestamptz(3) NOT NULL,
  lowered_at timestamptz(3) NOT NULL,
  changed_at timestamptz(3) NOT NULL,
  -- the lanes are paused until then, because even the lowest cap was refused
  paused_until timestamptz(3)
);
