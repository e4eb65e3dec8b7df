UPDATE events SET endpoint = :endpoint WHERE number = :number
